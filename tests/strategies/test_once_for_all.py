"""Progressive shrinking (Cai et al., 2020): what is open when, what the teacher is, and what order channels come in."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from nasengine import plugins
from nasengine.errors import SpaceError
from nasengine.interpreters.elastic import elastic
from nasengine.interpreters.model import Model
from nasengine.space import Architecture, Space
from nasengine.strategies._once_for_all_phases import PHASES, open_options, phase_at
from nasengine.strategies.once_for_all import OnceForAll

TIMES = (0.0, 0.4, 0.54, 0.7, 0.77, 1.0)  # one in each phase


def mobile() -> Space:
    sizes = {"kernels": (3, 5, 7), "expansions": (3, 4, 6), "depths": (2, 3, 4), "width": 0.25}
    return plugins.load_space("mobile", {"input": (3, 16, 16), "classes": 4, **sizes})


def drawn(made: OnceForAll, times: int = 20) -> list[Architecture]:
    generator = torch.Generator().manual_seed(0)
    return [picks for _ in range(times) for picks in made.draws(generator)]  # type: ignore[misc]


def used(space: Space, networks: list[Architecture], word: str) -> set[str]:
    """The options that decisions of this name took."""
    return {picked[0] for one in networks for name, picked in one.picks.items() if name.endswith(word)}


def test_phases_follow_the_published_epochs() -> None:
    assert [phase.epochs for phase in PHASES] == [180, 120, 25, 120, 25, 120]
    assert [phase.networks for phase in PHASES] == [1, 1, 2, 2, 4, 4]
    assert [phase_at(time) for time in TIMES] == [*range(6)]
    assert phase_at(180 / 590 - 1e-9) == 0 and phase_at(180 / 590) == 1


def test_sizes_open_in_turn() -> None:
    space = mobile()
    made = OnceForAll(space)
    everything = {"7", "5", "3"}, {"4", "3", "2"}, {"6", "4", "3"}
    expected = [
        ({"7"}, {"4"}, {"6"}),
        (everything[0], {"4"}, {"6"}),
        (everything[0], {"4", "3"}, {"6"}),
        (*everything[:2], {"6"}),
        (*everything[:2], {"6", "4"}),
        everything,
    ]
    for time, phase, sets in zip(TIMES, PHASES, expected, strict=True):
        made.at(time)
        networks = drawn(made)
        assert len(networks) == 20 * phase.networks
        assert tuple(used(space, networks, word) for word in ("kernel", "depth", "expand")) == sets


def test_decisions_between_layers_are_open_from_the_beginning() -> None:
    space = plugins.load_space("metaformer", {"input": (1, 16, 16)})
    networks = drawn(OnceForAll(space))
    assert used(space, networks, "op") == {"identity", "pool", "conv", "attention"}
    assert used(space, networks, "ratio") == {"4"} and used(space, networks, "kernel") == {"7"}


def test_the_teacher_is_the_full_network_of_the_first_phase_with_the_students_layers() -> None:
    space = mobile()
    made, model = OnceForAll(space), Model(space, kernels="transform").train()
    images, labels = torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 2, 3])
    made.look(model, 0.0)
    assert made.teacher is None
    [full] = drawn(made, 1)
    [plain] = made.losses(model, nn.functional.cross_entropy, (images, labels), [full])
    torch.testing.assert_close(plain, nn.functional.cross_entropy(model(images, full), labels))
    made.at(1.0)
    made.look(model, 1.0)
    wanted = model(images, full).detach().softmax(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    students = drawn(made, 1)
    taught = list(made.losses(model, nn.functional.cross_entropy, (images, labels), students))
    assert len(taught) == 4
    for one, student in zip(taught, students, strict=True):
        logits = model(images, student)
        alone, soft = nn.functional.cross_entropy(logits, labels), -(wanted * logits.log_softmax(1)).sum(1).mean()
        torch.testing.assert_close(4 * one, alone + soft)
    assert not any(parameter.requires_grad for parameter in made.teacher.parameters())  # type: ignore[union-attr]


def test_teacher_and_order_outlive_an_interruption() -> None:
    space = mobile()
    made, model = OnceForAll(space), Model(space, kernels="transform")
    made.at(1.0)
    with torch.no_grad():
        made.look(model, 1.0)
        state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        other = OnceForAll(space)
        other.take_up(made.state())
        again = Model(space, kernels="transform")
        again.load_state_dict(state)
        other.at(1.0)
        other.look(again, 1.0)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in state.items())  # not sorted again
    ours, theirs = made.state(), other.state()
    assert theirs["sorted"] == 5 and ours["teacher"].keys() == theirs["teacher"].keys()
    assert all(torch.equal(tensor, theirs["teacher"][name]) for name, tensor in ours["teacher"].items())


def test_the_second_sorting_keeps_what_narrow_networks_had() -> None:
    space = mobile()
    made, model = OnceForAll(space, distillation=0.0), Model(space, kernels="transform")
    weight = model.get_parameter("stage3.first.down.weight")
    with torch.no_grad():
        made.at(TIMES[4])
        made.look(model, TIMES[4])
        norms = weight.abs().sum((0, 2, 3))
        assert all(a >= b for a, b in pairwise(norms.tolist()))
        sixth = len(norms) // 6
        kept = set(norms[: 4 * sixth].tolist())
        weight.mul_(torch.rand(len(norms)).view(1, -1, 1, 1))
        changed = weight.abs().sum((0, 2, 3))
        made.at(1.0)
        made.look(model, 1.0)
    norms, ends = weight.abs().sum((0, 2, 3)), (0, 4 * sixth, 6 * sixth)
    assert len(kept) == 4 * sixth and sorted(norms[: 4 * sixth].tolist()) == sorted(changed[: 4 * sixth].tolist())
    for begin, end in pairwise(ends):
        assert all(a >= b for a, b in pairwise(norms[begin:end].tolist()))


def test_what_is_open_in_no_width_phase_keeps_the_largest_width() -> None:
    sizes = elastic(mobile())
    assert open_options(sizes, 3)["stage1.first.expand"] == ("6",)
    assert open_options(sizes, 4)["stage1.first.expand"] == ("6", "4")


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(SpaceError, match="distillation came as -1; it is a weight, 0 or more"):
        OnceForAll(mobile(), distillation=-1)
