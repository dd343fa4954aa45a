"""One network, one digest: NAS-Bench-201 recounted by other means, and each rule by itself."""

import itertools
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.interpreters.digest import digest, layers_fingerprint
from nasengine.layers import AvgPool, Classifier, ConvNorm, DropPath, FactorizedReduce, Identity, MaxPool, Norm, Zero
from nasengine.search_spaces import darts, nasbench201
from nasengine.space import (
    Architecture,
    Node,
    Space,
    add,
    aside,
    chain,
    choose,
    concat,
    network,
    op,
    reads,
    repeat,
    residual,
    shared,
)

NONE = Architecture({})


def of(node: Node, **picks: str) -> str:
    return digest(Space("any", (4, 8, 8), node), Architecture({name: (kept,) for name, kept in picks.items()}))


def conv(kernel: int = 3) -> Node:
    return op(ConvNorm, width=4, kernel=kernel)


# NAS-Bench-201 (https://arxiv.org/abs/2001.00326), recounted on nested tuples


def canonical(operations: tuple[str, ...], zeros: str) -> tuple[Any, ...]:
    """The last node of a cell as nested sorted tuples; `zeros`: "kept", "dropped" or "absorbing"."""
    states: list[tuple[Any, ...]] = [("input",)]
    for target in (1, 2, 3):
        terms: list[Any] = []
        for (source, end), name in zip(nasbench201.EDGES, operations, strict=True):
            if end != target:
                continue
            value = states[source]
            if name == "skip_connect":
                terms += value
            elif zeros == "kept" or (name != "none" and (value or (zeros == "dropped" and name != "avg_pool_3x3"))):
                terms.append((name, value))
        states.append(tuple(sorted(terms, key=repr)))
    return states[3]


def test_every_cell_of_nas_bench_201() -> None:
    cells = list(itertools.product(nasbench201.OPERATIONS, repeat=6))
    counts = {zeros: len({canonical(cell, zeros) for cell in cells}) for zeros in ("kept", "dropped", "absorbing")}
    assert counts == {"kept": 11_410, "dropped": 5_545, "absorbing": 4_930}
    stages = nasbench201.space(cells=1).network
    stage = next(step.node for step in stages.steps if step.name == "stage1")  # type: ignore[attr-defined]
    space = Space("one cell", (16, 32, 32), stage)
    names = [nasbench201.decision(*edge) for edge in nasbench201.EDGES]
    pairs = {
        (canonical(cell, "dropped"), digest(space, Architecture({n: (o,) for n, o in zip(names, cell, strict=True)})))
        for cell in cells
    }
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs}) == 5_545


SAME: dict[str, tuple[Node, Node]] = {
    "identities vanish": (conv(), chain(op(Identity), conv(), op(Identity))),
    "nesting does not count": (chain(conv(), chain(conv(1))), chain(chain(conv()), conv(1))),
    "a repeat is a chain": (repeat(conv(), 2), chain(conv(), conv())),
    "sums commute": (
        network(a=conv(), b=reads("input", conv(1)), c=reads("a", "b", add())),
        network(a=conv(), b=reads("input", conv(1)), c=reads("b", "a", add())),
    ),
    "sums associate": (
        network(a=conv(1), b=reads("input", conv(3)), c=reads("a", "b", add()), d=reads("c", "input", add())),
        network(b=conv(3), c=reads("b", "input", add()), a=reads("input", conv(1)), d=reads("a", "c", add())),
    ),
    "zeros drop from sums": (conv(), network(a=conv(), z=reads("input", op(Zero)), c=reads("z", "a", add()))),
    "pooled zeros are zeros": (op(Zero), chain(op(Zero), op(AvgPool), op(MaxPool), op(Norm))),
    "zeros of one shape": (op(Zero), chain(conv(), op(Zero))),
    "a residual around zeros": (op(Identity), residual(conv(), op(Zero))),
    "defaults": (op(MaxPool), op(MaxPool, stride=1, kernel=3)),
    "a shared piece": (conv(), shared("cell", conv())),
    "training alone": (conv(), chain(conv(), op(DropPath, rate=0.2))),
    "asides": (conv(), chain(conv(), aside("help", op(Classifier, classes=3)))),
    "a choice and what it kept": (conv(), choose("m", a=conv(), b=conv(1))),
    "an absent branch": (op(Identity), residual(choose("k", keep=(0, 1), a=conv()))),
}

OTHER: dict[str, tuple[Node, Node]] = {
    "settings": (conv(1), conv(3)),
    "order": (chain(conv(1), conv(3)), chain(conv(3), conv(1))),
    "layers": (op(AvgPool), op(MaxPool)),
    "how often a term stands": (conv(), network(a=conv(), c=reads("a", "a", add()))),
    "the order of a concatenation": (
        network(a=conv(), c=reads("input", "a", concat())),
        network(a=conv(), c=reads("a", "input", concat())),
    ),
    "a sum and a concatenation": (
        network(a=conv(), c=reads("input", "a", concat())),
        network(a=conv(), c=reads("input", "a", add())),
    ),
    "convolved zeros": (op(Zero), chain(op(Zero), conv())),
    "zeros side by side": (conv(), network(a=conv(), z=reads("input", op(Zero)), c=reads("a", "z", concat()))),
    "a sum within a layer": (
        chain(residual(conv()), conv(1)),
        network(a=conv(), b=reads("a", conv(1)), c=reads("input", conv(1)), d=reads("b", "c", add())),
    ),
    "a reduction is no identity": (op(Identity), op(FactorizedReduce)),
}


@pytest.mark.parametrize("case", SAME)
def test_one_network(case: str) -> None:
    one, other = SAME[case]
    assert of(one) == of(other, m="a") if case.startswith("a choice") else of(one) == of_none(other)


def of_none(node: Node) -> str:
    """The digest with nothing kept where nothing may be kept."""
    space = Space("any", (4, 8, 8), node)
    return digest(space, Architecture({name: () for name in space.decisions}))


@pytest.mark.parametrize("case", OTHER)
def test_two_networks(case: str) -> None:
    one, other = OTHER[case]
    assert of(one) != of(other)


def test_networks_of_zeros_and_of_nothing_have_digests() -> None:
    assert of(op(Zero)).startswith("nas1:")
    assert of(op(Zero)) != of(chain(op(Zero), op(MaxPool, stride=2)))
    assert of_none(choose("k", keep=(0, 1), a=conv())) == "nas1:absent"


def test_the_input_counts_and_the_name_of_the_space_does_not() -> None:
    assert digest(Space("a", (4, 8, 8), conv()), NONE) == digest(Space("b", (4, 8, 8), conv()), NONE)
    assert digest(Space("a", (4, 8, 8), conv()), NONE) != digest(Space("a", (4, 9, 8), conv()), NONE)


def test_a_training_setting_does_not_count() -> None:
    space = Space("a", (4, 8, 8), conv(), recipe={"lr": choose("lr", 0.1, 0.2)})
    assert len({digest(space, made) for made in space.enumerate()}) == 1


class Activated(nn.Module):
    """A layer with a setting that is no plain value."""

    def __init__(self, channels: int, activation: Any):
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return x.relu()


def test_settings_are_named_by_what_lasts() -> None:
    made = [of(op(Activated, activation=one)) for one in (nn.ReLU, nn.GELU, random.random, ("a", 1), ("a", 1.0), "a")]
    assert len(set(made)) == len(made)
    with pytest.raises(SpaceError, match="body: setting activation is <object object at.*give plain values"):
        of(chain(body=op(Activated, activation=object())))


SCRIPT = """
import json, random
from nasengine.interpreters.digest import digest, layers_fingerprint
from nasengine.search_spaces import darts
space = darts.space(auxiliary=True)
found = [space.sample(random.Random(seed)) for seed in range(3)]
print(json.dumps([digest(space, one) for one in found] + [layers_fingerprint(space, found[0])]))
"""


def test_every_process_gives_the_same() -> None:
    root = Path(__file__).parents[2]
    env = {"PYTHONHASHSEED": "7", "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    space = darts.space(auxiliary=True)
    found = [space.sample(random.Random(seed)) for seed in range(3)]
    here = [digest(space, one) for one in found] + [layers_fingerprint(space, found[0])]
    assert json.loads(done.stdout) == here
    assert len(set(here)) == 4


def fresh(folder: Path, name: str, inner: str) -> type:
    """A layer from a file of its own, with another one inside."""
    path = folder / f"{name}.py"
    path.write_text(
        "from torch import nn\n\n\n"
        f"class Inner(nn.Module):\n    def forward(self, x):\n        return {inner}\n\n\n"
        "class Unused(nn.Module):\n    pass\n\n\n"
        "class Outer(nn.Module):\n    def __init__(self, channels):\n        super().__init__()\n"
        "        self.inner = Inner()\n\n    def forward(self, x):\n        return self.inner(x)\n"
    )
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    layer: type = module.Outer
    return layer


def test_the_fingerprint_follows_the_source_of_inner_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fingerprint(inner: str) -> str:
        (tmp_path / inner.replace(" ", "")).mkdir()
        layer = fresh(tmp_path / inner.replace(" ", ""), "fresh_layers", inner)
        layer.__module__ = "fresh_layers"
        made = layers_fingerprint(Space("a", (4, 8, 8), op(layer)), NONE)
        monkeypatch.delitem(sys.modules, "fresh_layers")
        return made

    assert fingerprint("x + 1") != fingerprint("x + 2")


def test_the_fingerprint_is_of_the_layers_used() -> None:
    def fingerprint(node: Node, **picks: str) -> str:
        made = Architecture({name: (kept,) for name, kept in picks.items()})
        return layers_fingerprint(Space("any", (4, 8, 8), node), made)

    mixer = choose("m", a=conv(), b=op(MaxPool))
    assert fingerprint(mixer, m="a") == fingerprint(chain(conv(), conv(1)))
    assert fingerprint(mixer, m="a") != fingerprint(mixer, m="b")
    # what is there for training alone takes part in training
    assert fingerprint(chain(conv(), op(DropPath))) != fingerprint(conv())
    assert fingerprint(chain(conv(), aside("help", op(Classifier, classes=2)))) != fingerprint(conv())


def test_a_layer_without_source_is_refused() -> None:
    made: dict[str, Any] = {"nn": nn, "__name__": "typed"}
    exec("class Typed(nn.Module):\n    def __init__(self, channels):\n        super().__init__()", made)
    made["Typed"].forward = lambda self, x: x
    with pytest.raises(SpaceError, match="Typed: its source cannot be read.*define it in a file"):
        layers_fingerprint(Space("any", (4, 8, 8), op(made["Typed"])), NONE)
