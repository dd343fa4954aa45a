import copy

import torch

from benchmarks.adan_step import Grouped, ours, weights_of, without_compiler


def test_the_peer_is_the_same_optimizer() -> None:
    """Four steps with other gradients each, in float32 as they are measured."""
    weights = weights_of(3, 300)
    every = [weights, copy.deepcopy(weights), copy.deepcopy(weights)]
    optimizers = [make(own) for make, own in zip((Grouped, ours, without_compiler), every, strict=True)]
    for number in range(4):
        for own, optimizer in zip(every, optimizers, strict=True):
            if number:
                for weight in own:
                    weight.grad = (weight.detach() * number).sin()
            optimizer.step()
    for own in every[1:]:
        for weight, peers in zip(own, weights, strict=True):
            torch.testing.assert_close(weight, peers, rtol=0, atol=1e-6)
