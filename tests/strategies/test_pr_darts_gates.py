"""The gates of path-regularised search: hard-concrete, drawn as its paper prints and as its authors' code does
(Zhou et al., NeurIPS 2020, https://arxiv.org/abs/2006.16537)."""

import math

import pytest
import torch
from torch import Tensor

from nasengine.errors import SpaceError
from nasengine.interpreters.model import Model
from nasengine.search_spaces import darts, metaformer
from nasengine.space import Architecture, Mixture
from nasengine.strategies.pr_darts import PRDarts, chance, hard_concrete


def cell_space():
    return darts.space(input=(1, 8, 8), channels=4, layers=3, **darts.SUPERNET)


def relaxation(variant: str = "code") -> PRDarts:
    torch.manual_seed(0)
    return PRDarts(cell_space(), variant=variant)


@pytest.mark.parametrize(
    ("log_odds", "uniform", "temperature", "gate"),
    [
        (0.0, 0.5, 1.0, 0.5), (0.0, 0.1, 1.0, 0.02), (0.0, 0.05, 1.0, 0.0), (0.0, 0.95, 1.0, 1.0),
        (0.5, 0.3, 0.5, 0.299614), (-1.0, 0.7, 0.1, 0.114116), (0.5, 0.5, 10.0, 0.514997),
    ],
)  # fmt: skip
def test_the_hard_concrete_gate(log_odds, uniform, temperature, gate):
    found = hard_concrete(torch.tensor(log_odds), torch.tensor(uniform), temperature)
    assert float(found) == pytest.approx(gate, abs=1e-6)


@pytest.mark.parametrize(("temperature", "open_"), [(10.0, 1.0), (1.0, 11 / 12), (0.5, 0.768338), (0.1, 0.559662)])
def test_the_chance_to_be_open_falls_with_the_temperature_alone(temperature, open_):
    assert float(chance(torch.tensor(0.0), temperature)) == pytest.approx(open_, abs=1e-6)


def test_gates_saturate_as_often_as_the_formula_says():
    generator = torch.Generator().manual_seed(0)
    for temperature, share in ((1.0, 0.083333), (0.5, 0.231662), (0.1, 0.440338)):
        gates = hard_concrete(torch.zeros(200_000), torch.rand(200_000, generator=generator), temperature)
        assert float((gates == 0).float().mean()) == pytest.approx(share, abs=0.004)
        assert float((gates == 1).float().mean()) == pytest.approx(share, abs=0.004)


def drawn(variant: str, temperature: float, **options: int) -> Mixture:
    torch.manual_seed(0)
    made = PRDarts(cell_space(), variant=variant, **options)
    made.temperature = temperature
    return made.draws(torch.Generator().manual_seed(1))[0]


def test_the_code_opens_two_options_of_each_edge_fully():
    for gates in drawn("code", 1.0).by_decision.values():
        assert len(gates) == 2
        assert all(float(torch.as_tensor(gate).detach()) == pytest.approx(1.0, abs=1e-6) for gate in gates.values())


def test_the_paper_weighs_all_options_softly_and_shuts_some_for_good():
    hot = drawn("paper", 10.0, operations=8).by_decision
    assert all(len(gates) == 8 and 0.0 not in gates.values() for gates in hot.values())
    cold = [gate for gates in drawn("paper", 0.1, operations=8).by_decision.values() for gate in gates.values()]
    shut = sum(isinstance(gate, float) and gate == 0.0 for gate in cold) / len(cold)
    assert shut == pytest.approx(1 - 0.6771, abs=0.1)  # the chance at log-odds of 0.5
    assert all(len(gates) == 2 for gates in drawn("paper", 10.0).by_decision.values())


def test_a_choice_whose_gates_are_all_shut_still_gives_a_value():
    made = relaxation("paper")
    made.temperature = 0.1
    for tensor in made.log_odds:
        tensor.data.fill_(-20.0)
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            picks = made.draws(torch.Generator().manual_seed(0))[0]
        assert all(
            [float(gate) for gate in gates.values() if isinstance(gate, Tensor)] == [0.0]
            for gates in picks.by_decision.values()
        )
    model = Model(made.space)
    assert model(torch.randn(2, 1, 8, 8), picks).shape == (2, 10)


def test_the_straight_through_gradient_is_that_of_the_soft_gate():
    made = relaxation()
    made.temperature = 0.7
    picks = made.draws(torch.Generator().manual_seed(3))[0]
    total = sum(g for gates in picks.by_decision.values() for g in gates.values() if isinstance(g, Tensor))
    slopes = torch.autograd.grad(total, made.parameters())
    uniform = torch.rand(14, 8, generator=torch.Generator().manual_seed(3))
    soft = hard_concrete(made.log_odds[0], uniform, 0.7)
    (wanted,) = torch.autograd.grad((soft * made.drawn[0]).sum(), made.log_odds[0])
    assert torch.allclose(slopes[0], wanted)
    assert int((slopes[0] != 0).sum()) <= 28


def test_gates_without_gradient_tracking_are_plain_numbers():
    made = relaxation()
    with torch.no_grad():
        picks = made.draws(torch.Generator().manual_seed(0))[0]
    assert all(
        gate == 1.0 and isinstance(gate, float) for gates in picks.by_decision.values() for gate in gates.values()
    )


def test_forty_per_cent_of_the_gates_are_dropped_before_the_two_strongest_are_taken():
    """One gate is open and seven are shut: dropped, the open one falls to 0 and ties with the shut that were not."""
    made = relaxation()
    for tensor in made.log_odds:
        tensor.data.fill_(-30.0)
        tensor.data[:, 3] = 30.0
    generator = torch.Generator().manual_seed(0)
    hits = [float(made.drawn[0][:, 3].mean()) for _ in range(200) if made.draws(generator)]
    others = [math.comb(7, n) * 0.6**n * 0.4 ** (7 - n) * min(1.0, 2 / (n + 1)) for n in range(8)]
    assert sum(hits) / len(hits) == pytest.approx(0.6 + 0.4 * sum(others), abs=0.03)


def test_all_cells_of_a_namespace_share_one_draw():
    picks = drawn("code", 1.0)
    assert set(picks.by_decision) == {name for name, d in cell_space().decisions.items() if not d.of_edges}


def test_sizes_are_refused_with_what_to_do():
    with pytest.raises(SpaceError, match=r"strategy pr-darts: .*stage1\.width.*space\.restrict\(.*random-search"):
        PRDarts(metaformer.space(input=(1, 8, 8)))


def test_a_space_of_sizes_restricted_to_one_each_is_searched():
    space = metaformer.space(input=(1, 16, 16))
    sizes = {name: [d.options[0]] for name, d in space.decisions.items() if d.of_values}
    made = PRDarts(space.restrict(sizes))
    assert made.parameters() and isinstance(made.settle(), Architecture)
    picks = made.draws(torch.Generator().manual_seed(0))[0]
    assert Model(made.space)(torch.randn(2, 1, 16, 16), picks).shape == (2, 10)


def test_few_torch_operations_make_a_draw():
    from torch.utils._python_dispatch import TorchDispatchMode

    class Count(TorchDispatchMode):
        names: list[str] = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.names.append(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    made = relaxation()
    with Count() as count:
        made.draws(torch.Generator().manual_seed(0))
    assert len(count.names) < 80  # for 224 gates of 28 decisions
    assert "_local_scalar_dense" not in count.names and "nonzero" not in count.names
