"""Adan against numbers made with the authors' implementation (https://arxiv.org/abs/2208.06677, sail-sg/Adan)."""

import copy

import pytest
import torch

from nasengine.errors import RecipeError, TrainingError
from nasengine.training.adan import Adan

START = [1.0, -1.0, 2.0]
GRADIENTS = [[1.0, -2.0, 0.5], [0.5, -1.0, 0.5], [-1.0, 2.0, 0.5], [0.25, 0.0, 0.5]]
# What the authors' optimizer gives in float64 with lr 0.1 and eps 1e-8, after each of four steps.
PUBLISHED = {
    "no decay": (
        {},
        [
            [0.900000001, -0.9000000005, 1.900000002],
            [0.828050275, -0.828050274, 1.800000004],
            [0.8613848144, -0.8613848135, 1.700000006],
            [0.8590373767, -0.8682851132, 1.600000008],
        ],
    ),
    "decay": (
        {"weight_decay": 0.02},
        [
            [0.8982035938, -0.8982035933, 1.8962075868],
            [0.8246046585, -0.8246046575, 1.7926223441],
            [0.8562267444, -0.8562267435, 1.6892438584],
            [0.8521749568, -0.8614042348, 1.586071717],
        ],
    ),
    "clipped": (
        {"weight_decay": 0.02, "max_grad_norm": 1.0},
        [
            [0.8982035951, -0.898203594, 1.8962075894],
            [0.7969608495, -0.7969608472, 1.8007252231],
            [0.8157750489, -0.8157750466, 1.7205001801],
            [0.7978955504, -0.8138562806, 1.6346094714],
        ],
    ),
}


def parameter(values=START):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def step(optimizer, weights, gradient):
    weights.grad = torch.tensor(gradient, dtype=torch.float64)
    optimizer.step()
    return weights.detach().clone()


@pytest.mark.parametrize("foreach", [None, False, True])
@pytest.mark.parametrize("case", PUBLISHED)
def test_equals_the_authors_numbers(case, foreach):
    settings, expected = PUBLISHED[case]
    close = 2e-9 if case == "clipped" else 6e-11  # the authors sum the clip norm in float32
    weights = parameter()
    optimizer = Adan([weights], lr=0.1, foreach=foreach, **settings)
    for gradient, values in zip(GRADIENTS, expected, strict=True):
        got = step(optimizer, weights, gradient)
        torch.testing.assert_close(got, torch.tensor(values, dtype=torch.float64), rtol=0, atol=close)


@pytest.mark.parametrize("foreach", [None, False, True])
def test_the_clip_norm_runs_over_all_groups_and_leaves_gradients_alone(foreach):
    whole = parameter()
    together = Adan([whole], lr=0.1, max_grad_norm=1.0, foreach=foreach)
    parts = [parameter(START[:1]), parameter(START[1:])]
    apart = Adan([{"params": [part]} for part in parts], lr=0.1, max_grad_norm=1.0, foreach=foreach)
    for gradient in GRADIENTS:
        step(together, whole, gradient)
        parts[0].grad = torch.tensor(gradient[:1], dtype=torch.float64)
        parts[1].grad = torch.tensor(gradient[1:], dtype=torch.float64)
        apart.step()
        assert parts[1].grad.tolist() == gradient[1:]
    torch.testing.assert_close(torch.cat([part.detach() for part in parts]), whole.detach(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("foreach", [None, False, True])
def test_resumes_exactly_from_its_state(foreach):
    settings = {"lr": 0.1, "weight_decay": 0.02, "max_grad_norm": 1.0, "foreach": foreach}
    weights = parameter()
    optimizer = Adan([weights], **settings)
    for gradient in GRADIENTS[:2]:
        step(optimizer, weights, gradient)
    other = weights.detach().clone().requires_grad_()
    resumed = Adan([other], **settings)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for gradient in GRADIENTS[2:]:
        assert torch.equal(step(optimizer, weights, gradient), step(resumed, other, gradient))


def test_a_checkpoint_that_names_its_decay_goes_on_as_ever():
    weights = parameter()
    optimizer = Adan([weights], lr=0.1, weight_decay=0.02)
    step(optimizer, weights, GRADIENTS[0])
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0]["decay"] = "proximal"  # as checkpoints had it when there was another
    resumed = Adan([weights])
    resumed.load_state_dict(state)
    got = step(resumed, weights, GRADIENTS[1])
    torch.testing.assert_close(got, torch.tensor(PUBLISHED["decay"][1][1], dtype=torch.float64), rtol=0, atol=6e-11)


@pytest.mark.parametrize("foreach", [None, False, True])
def test_a_parameter_that_joins_late_gets_its_own_bias_corrections(foreach):
    early, late = parameter(), parameter()
    optimizer = Adan([early, late], lr=0.1, foreach=foreach)
    for gradient in GRADIENTS:
        step(optimizer, early, gradient)
    assert late.tolist() == START, "no gradient, no step"
    early.grad = None
    for gradient, values in zip(GRADIENTS, PUBLISHED["no decay"][1], strict=True):
        got = step(optimizer, late, gradient)
        torch.testing.assert_close(got, torch.tensor(values, dtype=torch.float64), rtol=0, atol=6e-11)


def test_a_closure_is_run_with_gradients_and_its_loss_returned():
    weights = parameter()
    optimizer = Adan([weights], lr=0.1)

    def closure():
        loss = weights.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 6.0
    torch.testing.assert_close(weights.detach(), torch.tensor([0.9, -0.9, 1.9]).double(), rtol=0, atol=1e-7)


def test_channels_last_weights_keep_their_format():
    weights = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last).requires_grad_()
    optimizer = Adan([weights], lr=0.1)
    weights.sum().backward()
    optimizer.step()
    assert optimizer.state[weights]["average"].is_contiguous(memory_format=torch.channels_last)


def test_every_impossible_setting_is_named_at_once():
    with pytest.raises(RecipeError) as fault:
        Adan([parameter()], lr=-1.0, betas=(0.9, 0.99), eps=-1.0)
    text = str(fault.value)
    assert "adan.lr: -1.0" in text
    assert "adan.betas" in text
    assert "adan.eps: -1.0" in text


def test_a_sparse_gradient_is_refused():
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(TrainingError, match="sparse=False"):
        Adan(table.parameters()).step()
