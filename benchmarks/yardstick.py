"""Is the plain loop that speed is measured against the sequence that was published? Counted, not timed.

    python -m benchmarks.yardstick [--setting cifar]

Every operator that the loop's forward and backward send to torch is counted and held against the count by hand of
`yardstick_published`. Views (select, slice, transpose) and memory without content are left out: they compute nothing.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain_supernet import NORMS, PlainSupernet
from benchmarks.supernet_step import SETTINGS, Setting
from benchmarks.yardstick_published import On, Published, Work

ALIKE = 0.05  # of each count; more is no yardstick


class Operators(TorchDispatchMode):
    """Counts what is sent to torch while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        if not func.is_view and "empty" not in name:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Difference:
    """One count of the plain loop and of the publication."""

    what: str
    plain: int
    published: int

    @property
    def share(self) -> float:
        """How much more the plain loop has, as a share of the published count."""
        return self.plain / self.published - 1


def two_of_eight(generator: torch.Generator) -> list[list[list[bool]]]:
    """A draw of PR-DARTS: two operations on each edge, for both kinds of cell."""
    kept = torch.rand(2, 14, 8, generator=generator).topk(2, dim=2).indices
    return torch.zeros(2, 14, 8).scatter(2, kept, 1.0).bool().tolist()


def counted(sizes: Published, on: Sequence[On] | None) -> Work:
    """The plain loop's work, counted while it runs."""
    torch.manual_seed(0)
    model = PlainSupernet(
        sizes.channels, sizes.layers, sizes.image,
        track=sizes.track, pool_norm=sizes.pool_norm, last_norm=sizes.last_norm,
    )  # fmt: skip
    gates = [torch.zeros(14, 8, requires_grad=True) for _ in range(2)]
    images = torch.randn(sizes.batch, sizes.image, sizes.side, sizes.side)
    with FlopCounterMode(display=False) as flops, Operators() as forward:
        outputs = model(images, [gate.softmax(1) for gate in gates], on)
        loss = nn.functional.cross_entropy(outputs, torch.zeros(sizes.batch, dtype=torch.long))
    with Operators() as backward:
        loss.backward()
    return Work(forward.counts, backward.counts, flops.get_total_flops(), len(list(model.parameters())))


def differences(plain: Work, published: Work) -> list[Difference]:
    """Of the two passes, the floating-point operations and the weights."""
    return [
        Difference("forward operators", plain.forward.total(), published.forward.total()),
        Difference("backward operators", plain.backward.total(), published.backward.total()),
        Difference("forward FLOP", plain.flops, published.flops),
        Difference("weight tensors", plain.tensors, published.tensors),
    ]


def by_operator(plain: Work, published: Work) -> list[Difference]:
    """The operators whose numbers differ, those that differ most first."""
    found = []
    for phase in ("forward", "backward"):
        ours, theirs = getattr(plain, phase), getattr(published, phase)
        found += [Difference(f"{phase} {name}", ours[name], theirs[name]) for name in ours.keys() | theirs.keys()]
    return sorted((one for one in found if one.plain != one.published), key=lambda one: -abs(one.plain - one.published))


def compare(strategy: str, setting: Setting) -> tuple[Work, Work]:
    """The work of the plain loop, and that of the publication; weights that a draw leaves out are held all the same."""
    image, side, _ = setting.image
    published = Published(setting.channels, setting.layers, image, side, setting.batch, **NORMS[strategy])
    on = None if strategy == "darts" else two_of_eight(torch.Generator().manual_seed(0))
    return counted(published, on), replace(published.work(on), tensors=published.work().tensors)


def main() -> None:
    """Print the counts and what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setting", choices=SETTINGS, default="cifar")
    setting = parser.parse_args().setting
    for strategy, sizes in SETTINGS[setting].items():
        works = compare(strategy, sizes)
        table = Table(f"{strategy}, {setting}", "plain loop", "published", "more", "")
        for one in differences(*works):
            verdict = "alike" if abs(one.share) <= ALIKE else "[red]differs[/]"
            table.add_row(one.what, f"{one.plain:,}", f"{one.published:,}", f"{one.share:+.1%}", verdict)
        table.add_section()
        for one in by_operator(*works):
            table.add_row(one.what, f"{one.plain:,}", f"{one.published:,}", "", "")
        Console().print(table)


if __name__ == "__main__":
    main()
