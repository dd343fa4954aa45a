"""The estimate against real training steps: the bytes that autograd keeps, and the growth of a process."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nasengine.interpreters.memory import Memory, largest_batch, training_memory
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, Identity, MaxPool
from nasengine.search_spaces import darts, metaformer
from nasengine.space import EVERYTHING, Architecture, Mixture, Picks, Space, aside, chain, choose, op, repeat

MB = 2**20


def kept_bytes(model: Model, images: Tensor, picks: Picks | None) -> int:
    """What a real forward pass keeps, weights aside, the images included."""
    weights = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    sizes = {images.untyped_storage().data_ptr(): images.untyped_storage().nbytes()}

    def pack(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model.forward_with_asides(images, picks)
    del output
    return sum(sizes.values())


def soft(space: Space) -> Mixture:
    """Gates that learn, on every choice between layers."""
    gates: dict[str, dict[str, Any]] = {}
    for name, decision in space.decisions.items():
        if not decision.of_edges and not decision.of_values:
            strengths = torch.zeros(len(decision.relaxed), requires_grad=True).softmax(0)
            gates[name] = dict(zip(decision.relaxed, strengths, strict=True))
    return Mixture(gates)


def test_a_network_keeps_what_was_estimated() -> None:
    for space in (darts.space(channels=4, layers=5, auxiliary=True), metaformer.space(input=(3, 32, 32))):
        architecture = space.sample(random.Random(3))
        real = kept_bytes(Model(space, architecture), torch.randn(3, *space.input), None)
        assert training_memory(space, architecture, 3).activations == pytest.approx(real, rel=0.02)


def test_a_supernet_with_learned_gates_keeps_what_was_estimated() -> None:
    space = darts.space(input=(3, 16, 16), channels=4, layers=3, **darts.SUPERNET)  # type: ignore[arg-type]
    mixture = soft(space)
    real = kept_bytes(Model(space), torch.randn(4, *space.input), mixture)
    found = training_memory(space, mixture, 4)
    assert found.activations == pytest.approx(real, rel=0.02)
    # a learned gate keeps its operation's output, a fixed one need not
    assert found.activations > 1.2 * training_memory(space, EVERYTHING, 4).activations


def test_gates_that_are_off_take_nothing() -> None:
    space = darts.space(input=(3, 16, 16), channels=4, layers=3)
    architecture = space.sample(random.Random(0))
    sampled = training_memory(space, Mixture({}, architecture), 4)
    alone = training_memory(space, architecture, 4)
    whole = training_memory(space, EVERYTHING, 4)
    assert sampled.activations == alone.activations < 0.3 * whole.activations
    assert sampled.weights == whole.weights > 2 * alone.weights


def test_weights_gradients_and_optimizer_are_counted_in_bytes() -> None:
    space = Space("small", (3, 8, 8), chain(op(ConvNorm, width=8, kernel=3), op(Classifier, classes=5)))
    found = training_memory(space, Architecture({}), 2, optimizer_slots=2)
    learned = 3 * 8 * 9 + 2 * 8 + 8 * 5 + 5
    buffers = 4 * (8 + 8) + 8  # running mean and variance, and the 8 bytes of the batch counter
    assert found.weights == 4 * learned + buffers
    assert (found.gradients, found.optimizer) == (4 * learned, 8 * learned)
    images, convolved = 2 * 3 * 64 * 4, 2 * 8 * 64 * 4
    assert found.activations >= images + convolved and found.working == convolved
    assert found.total == found.weights + found.gradients + found.optimizer + found.activations + found.working


def test_asides_are_part_of_training() -> None:
    body = [op(ConvNorm, width=8), aside("help", op(Classifier, classes=5)), op(Classifier, classes=5)]
    with_aside = training_memory(Space("a", (3, 8, 8), chain(*body)), Architecture({}), 2)
    without = training_memory(Space("a", (3, 8, 8), chain(body[0], body[2])), Architecture({}), 2)
    assert with_aside.weights > without.weights and with_aside.activations > without.activations


def test_the_largest_batch_fits_and_the_next_does_not() -> None:
    block = choose("op", conv=op(ConvNorm, width=8, kernel=3), pool=op(MaxPool), skip=op(Identity))
    space = Space("small", (3, 16, 16), chain(op(ConvNorm, width=8), repeat(block, 3), op(Classifier, classes=5)))
    for picks in (space.sample(random.Random(0)), soft(space), EVERYTHING):
        limit = 3 * MB
        batch = largest_batch(space, picks, limit)
        assert batch > 2
        assert training_memory(space, picks, batch).total <= limit < training_memory(space, picks, batch + 1).total
    assert largest_batch(space, EVERYTHING, 1000) == 0


STEP = """
import gc, json, random, sys
import torch
from nasengine.interpreters.memory import training_memory
from nasengine.interpreters.model import Model
from nasengine.search_spaces import darts
from nasengine.training.adan import Adan

torch.set_num_threads(1)

def resident(key):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(key))

space = darts.space(channels=16, layers=3)
architecture = space.sample(random.Random(1))
estimate = training_memory(space, architecture, 32)

def step(model, optimizer, images):
    loss = model(images).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

warm = Model(space, architecture)  # what torch loads when it first needs it
step(warm, Adan(warm.parameters()), torch.randn(2, *space.input))
del warm
gc.collect()
before = resident("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # forget the peak so far
model = Model(space, architecture)
step(model, Adan(model.parameters()), torch.randn(32, *space.input))
print(json.dumps([resident("VmHWM") - before, estimate.total]))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="no /proc to measure a process with")
def test_a_process_grows_by_what_was_estimated() -> None:
    # glibc hands freed blocks back at once, so that the process is as large as what it uses
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", STEP], cwd=root, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    real, estimated = json.loads(done.stdout)
    assert estimated == pytest.approx(real, rel=0.25)


def test_a_larger_batch_takes_more() -> None:
    space = darts.space(channels=4, layers=2)
    architecture = space.sample(random.Random(0))
    found: list[Memory] = [training_memory(space, architecture, batch) for batch in (2, 4, 8)]
    growth = [b.activations - a.activations for a, b in zip(found, found[1:], strict=False)]
    assert growth[1] == pytest.approx(2 * growth[0], rel=0.01)
    assert len({one.weights for one in found}) == 1
