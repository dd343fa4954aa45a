"""Time of training a candidate, as a search trains it, against a plain loop in PyTorch on the same network.

    python -m benchmarks.candidate_training [--rounds 7]

The plain loop is what tutorials show: the exported network as it is written to a file, images and weights in torch's
usual order (NCHW), a DataLoader, `.item()` for the loss and the hits of every step, and torch's own SGD. It runs in a
process of its own, as it would alone, on the same core and in turns with ours. Both begin with the same weights and
see the same images in the same order, without augmentation.
"""

import argparse
import importlib.util
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.measure import Measured, interleaved, quiet_process, repeat, show

if __name__ == "__main__":
    quiet_process()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from nasengine import plugins  # noqa: E402
from nasengine.interpreters.model import Model  # noqa: E402
from nasengine.interpreters.source import source, state  # noqa: E402
from nasengine.space import Architecture, Space  # noqa: E402
from nasengine.training.augment import augment  # noqa: E402
from nasengine.training.data import Split, load  # noqa: E402
from nasengine.training.fit import fit  # noqa: E402
from nasengine.training.loop import Training  # noqa: E402
from nasengine.training.metrics import evaluate  # noqa: E402
from nasengine.training.recipe import Recipe  # noqa: E402

PEER = "plain eager NCHW loop"
STEPS = 4  # of one round
AUGMENTATIONS = 20  # of one round
LR, DECAY, CLIP = 0.025, 3e-4, 5.0
SGD = Recipe(optimizer="sgd", lr=LR, weight_decay=DECAY, clip=CLIP, schedule="constant")


@dataclass(frozen=True)
class Setting:
    """A candidate and the batches it is trained on."""

    name: str
    space: str
    architecture: str
    settings: dict[str, Any]
    batch: int
    goal: float

    def built(self) -> tuple[Space, Architecture, Model]:
        """The network, under one seed."""
        space = plugins.load_space(self.space, self.settings)
        known = self.architecture and plugins.published(self.space, self.architecture).picks
        architecture = Architecture(dict(known)) if known else space.sample(random.Random(0))
        torch.manual_seed(0)
        return space, architecture, Model(space, architecture)

    def images(self) -> Split:
        """Noise for one round."""
        generator = torch.Generator().manual_seed(0)
        count = self.batch * STEPS
        pictures = torch.randn(count, *self.settings["input"], generator=generator)
        return Split(pictures, torch.randint(10, (count,), generator=generator))


CIFAR = {"input": (3, 32, 32), "channels": 16, "layers": 8}
SMALL = {"input": (1, 8, 8), "channels": 8, "layers": 5}
DARTS = Setting("candidate DARTS_V2, 32x32", "darts", "DARTS_V2", CIFAR, 32, 1.35)
DIGITS = Setting("candidate DARTS_V2, 8x8", "darts", "DARTS_V2", SMALL, 64, 1.1)
METAFORMER = Setting("candidate MetaFormer, 32x32", "metaformer", "", {"input": (3, 32, 32)}, 32, 1.1)


def plain_network(setting: Setting) -> nn.Module:
    """The network as the file that an export writes, torch alone."""
    space, architecture, model = setting.built()
    made = source(space, architecture)
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(made.text, "exported", "exec"), names)
    network: nn.Module = names[made.class_name]()
    network.load_state_dict(state(model, made))
    return network


class PlainLoop:
    """A training as a tutorial writes it."""

    def __init__(self, setting: Setting, split: Split) -> None:
        self.network, self.split, self.batch = plain_network(setting), split, setting.batch
        self.optimizer = torch.optim.SGD(self.network.parameters(), LR, 0.9, weight_decay=DECAY)
        self.order = torch.Generator().manual_seed(0)
        self.images = TensorDataset(split.images, split.labels)

    def epoch(self) -> tuple[float, float]:
        """Once through the images; the mean loss and the accuracy."""
        batches = [
            places.tolist() for places in torch.randperm(len(self.split), generator=self.order).split(self.batch)
        ]
        self.network.train()
        total, hits = 0.0, 0
        for images, labels in DataLoader(self.images, batch_sampler=batches):
            self.optimizer.zero_grad()
            logits = self.network(images)
            loss = nn.functional.cross_entropy(logits, labels)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            self.optimizer.step()
            total += loss.item() * len(labels)
            hits += (logits.argmax(1) == labels).sum().item()
        return total / len(self.split), hits / len(self.split)


def serve(setting: Setting, pipe: Any) -> None:
    """Run an epoch of the plain loop for each word that comes, until the empty one."""
    torch.set_num_threads(1)
    loop = PlainLoop(setting, setting.images())
    while pipe.recv():
        pipe.send(loop.epoch())


@contextmanager
def plain_elsewhere(setting: Setting) -> Iterator[Any]:
    """A function that has another process run an epoch, and waits for it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(setting, theirs))
    process.start()
    try:

        def epoch() -> Any:
            ours.send("epoch")
            return ours.recv()

        yield epoch
    finally:
        ours.send("")
        process.join()


def training(setting: Setting, split: Split, recipe: Recipe = SGD) -> Training:
    """What `fit` runs."""
    _, _, model = setting.built()
    return Training(model, split, replace(recipe, batch=setting.batch, epochs=10_000), 0, torch.device("cpu"))


def compared(setting: Setting, rounds: int) -> Measured:
    """One candidate's ratio."""
    ours = training(setting, setting.images())
    with plain_elsewhere(setting) as plain:
        ratio, spread = interleaved(plain, lambda: ours.epoch(None), rounds)
    step = min(record["seconds"] for record in ours.history) / STEPS
    return Measured(setting.name, ratio, spread, setting.goal, PEER, note=f"{step * 1e3:.0f} ms a step")


def same_accuracy(epochs: int = 4) -> Measured:
    """How far apart the validation accuracies are after a training on the digits: float noise, nothing else."""
    digits = load("digits")
    loop = PlainLoop(DIGITS, digits.train)
    for _ in range(epochs):
        loop.epoch()
    _, _, model = DIGITS.built()
    recipe = replace(SGD, batch=DIGITS.batch, epochs=epochs)
    ours = fit(model, digits.train, recipe, validation=digits.validation)[-1]["validation_accuracy"]
    plain = evaluate(loop.network, digits.validation)["accuracy"]
    note = f"{ours:.3f} against {plain:.3f} after {epochs} epochs on the digits, one seed"
    return Measured("candidate's accuracy, difference", abs(ours - plain), 1.0, 0.02, PEER, True, "", note)


def augmented(rounds: int) -> Iterator[Measured]:
    """Crop and mirror images of a batch: ours against kornia's, where that is installed."""
    if importlib.util.find_spec("kornia") is None:
        return
    from kornia.augmentation import AugmentationSequential, RandomCrop, RandomHorizontalFlip

    images, recipe, generator = torch.randn(64, 3, 32, 32), Recipe(crop=4, flip=True), torch.Generator()
    theirs = AugmentationSequential(RandomCrop((32, 32), padding=4), RandomHorizontalFlip(), data_keys=["input"])
    ratio, spread = interleaved(
        partial(repeat, partial(theirs, images), AUGMENTATIONS),
        partial(repeat, partial(augment, images, recipe, generator), AUGMENTATIONS),
        rounds,
    )
    yield Measured("augmentation of 64 images", ratio, spread, 1.0, "kornia")


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """Three candidates on one thread, their accuracy, and augmentation."""
    for setting in (DARTS, DIGITS, METAFORMER):
        yield compared(setting, rounds)
    yield same_accuracy()
    yield from augmented(rounds)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    show(measurements(parser.parse_args().rounds), "Training of candidates, one thread")


if __name__ == "__main__":
    main()
