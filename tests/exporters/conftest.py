"""One small network for every format, traced once."""

import random
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from nasengine import plugins
from nasengine.exporters.compare import leaving_of
from nasengine.exporters.facts import facts_of
from nasengine.exporters.format import Format, Leaving
from nasengine.interpreters.model import Model
from nasengine.plugins import load_space


def trained(name: str = "darts", **settings: object) -> Model:
    """A network whose batch statistics are not those of a new one."""
    space = load_space(name, settings or {"channels": 4, "layers": 3, "auxiliary": True})
    model = Model(space, space.sample(random.Random(2))).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, *space.input))
    return model


def small() -> Model:
    """The smallest network."""
    return trained("nasbench201", channels=4, cells=1, input=(1, 8, 8))


@pytest.fixture(scope="session")
def model() -> Model:
    """The network as it was trained, in evaluation mode; only to be read."""
    return small().eval()


def format_of(name: str) -> Format:
    """A format; the test skips where its packages are missing."""
    made: Format = plugins.one_class("format", name)()
    missing = [module for module in made.needs if find_spec(module) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (pip install 'nasengine[{made.extra}]')")
    return made


@pytest.fixture(scope="session")
def written(leaving: Leaving, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a format's files, which are written once."""

    @cache
    def write(name: str) -> Path:
        folder: Path = tmp_path_factory.mktemp(name)
        format_of(name).write(leaving, folder)
        return folder

    return write


@pytest.fixture(scope="session")
def leaving(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Leaving:
    """The same on its way out; its trace is made once."""
    folder: Path = tmp_path_factory.mktemp("leaving")
    return leaving_of(model, folder, None, facts_of(model, {}))
