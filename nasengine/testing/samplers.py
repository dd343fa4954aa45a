"""The contract of samplers: legal networks, the same from the same chance, and a supernet that learns."""

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, Identity, MaxPool, SeparableConv
from nasengine.search.relax import Relaxed, relax
from nasengine.search.strategy import Sampler
from nasengine.space import Architecture, Picks, Space, chain, choose, op, repeat, residual
from nasengine.testing.report import Report
from nasengine.training.data import Dataset, Split
from nasengine.training.recipe import Recipe, recipe

EPOCHS = 4
PROGRESS = (0.0, 0.5, 1.0)
STEPS = 6
CLASSES = 3


def small_sizes() -> Space:
    """Layers, widths, kernels and depths to choose, in residual blocks of which not all are always there."""
    conv = op(ConvNorm, width=8, kernel=choose("kernel", 1, 3))
    mixer = choose("op", skip=op(Identity), pool=op(MaxPool), conv=conv, separable=op(SeparableConv))
    network = chain(
        stem=chain(op(ConvNorm, width=choose("width", 4, 8, 12)), op(ConvNorm, width=8)),
        blocks=repeat(residual(mixer), choose("depth", 1, 2)),
        head=op(Classifier, classes=CLASSES),
    )
    return Space("small sizes", (1, 6, 6), network)


def small_images(count: int = 96) -> Dataset:
    """Images (1, 6, 6) of three classes, which differ in their mean."""
    generator = torch.Generator().manual_seed(0)

    def split(number: int) -> Split:
        labels = torch.arange(number) % CLASSES
        return Split(torch.randn(number, 1, 6, 6, generator=generator) + labels[:, None, None, None], labels)

    return Dataset(
        name="means", train=split(count), validation=split(12), test=split(12), input=(1, 6, 6), classes=CLASSES,
        fingerprint=f"means-{count}", class_names=("a", "b", "c"), mean=(0.0,), std=(1.0,),
    )  # fmt: skip


def check_sampler(make: Callable[[Space], Sampler], *, training: Recipe | None = None) -> Report:
    """Check a sampler, made by `make(space)`: its class, or a function that also gives it options."""
    report, space = Report(f"sampler {getattr(make, '__name__', make)}"), small_sizes()
    wanted = training or recipe("supernet", epochs=EPOCHS, **getattr(make, "training", {}))
    with report.claim("draws legal networks at any time, which run"):
        _draws_legally(space, _made(make, space))
    with report.claim("draws the same networks from the same random numbers"):
        assert _drawn(_made(make, space)) == _drawn(_made(make, space)), "they differ"
    with report.claim("runs every architecture with the finished weights"):
        _dresses(space, _made(make, space))
    if report.ok:
        with report.claim("the supernet learns"):
            losses = [record["train_loss"] for record in _trained(make, space, wanted).epochs]
            assert losses[-1] < losses[0], f"its losses are {losses}"
        with report.claim("an interrupted training goes on to the same numbers"):
            _goes_on(make, space, wanted)
    return report


def _made(make: Callable[[Space], Sampler], space: Space) -> Sampler:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(space)


def _model(space: Space, made: Sampler) -> Model:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Model(space, **getattr(made, "model_options", {})).train()


def _begin(made: Sampler, model: Model, progress: float) -> None:
    """What the loop does before an epoch."""
    made.at(progress)
    if hasattr(made, "look"):
        with torch.no_grad():
            made.look(model, progress)


def _networks(draws: Sequence[Picks]) -> list[Architecture]:
    """The architectures that picks are based on."""
    found = []
    for picks in draws:
        while not isinstance(picks, Architecture):
            assert hasattr(picks, "base"), f"it draws {type(picks).__name__}, which is no architecture"
            picks = picks.base
        found.append(picks)
    return found


@torch.no_grad()
def _draws_legally(space: Space, made: Sampler) -> None:
    model, generator = _model(space, made), torch.Generator().manual_seed(0)
    for progress in PROGRESS:
        _begin(made, model, progress)
        for _ in range(STEPS):
            draws = made.draws(generator)
            assert len(draws), f"at {progress} it draws nothing"
            faults = [fault for network in _networks(draws) for fault in space.faults(network.picks)]
            assert not faults, f"at {progress}: {'; '.join(faults)}"
        for picks in draws:
            assert model(torch.randn(4, *space.input), picks).isfinite().all(), f"at {progress} the supernet breaks"


@torch.no_grad()
def _drawn(made: Sampler) -> list[list[Picks]]:
    generator, found = torch.Generator().manual_seed(3), []
    for progress in PROGRESS:
        made.at(progress)
        found += [list(made.draws(generator)) for _ in range(STEPS)]
    return found


@torch.no_grad()
def _dresses(space: Space, made: Sampler) -> None:
    model = _model(space, made)
    dress: Callable[[Architecture], Picks] = getattr(made, "dress", lambda architecture: architecture)
    for architecture in space.first(STEPS):
        output = model(torch.randn(4, *space.input), dress(architecture))
        assert output.shape == (4, CLASSES) and output.isfinite().all(), f"{architecture.picks} puts out {output[0]}"


def _trained(make: Callable[[Space], Sampler], space: Space, training: Recipe, **words: Any) -> Relaxed:
    return relax(space, _made(make, space), small_images(), training, **words)


class _Killed(Exception):
    pass


def _goes_on(make: Callable[[Space], Sampler], space: Space, training: Recipe) -> None:
    def kill(values: dict[str, Any], gates: object) -> None:
        if values["epoch"] == training.epochs // 2:
            raise _Killed

    whole = _trained(make, space, training)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "supernet.pt")
        with contextlib.suppress(_Killed):
            _trained(make, space, training, checkpoint=path, on_epoch=kill)
        resumed = _trained(make, space, training, checkpoint=path)
    for one, other in zip(whole.epochs, resumed.epochs, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}, f"epoch {one['epoch']} differs"
    ends = [*whole.model.state_dict().values(), *whole.parameters]
    others = [*resumed.model.state_dict().values(), *resumed.parameters]
    assert all(map(torch.equal, ends, others)), "the weights differ"
