"""nasengine: neural architecture search in one space language, with strategies as single files.

    import nasengine as ne

    run = ne.search(space="darts", strategy="pr-darts", data="digits")
    run.best.export("out/")

Names are loaded when they are used, so that `import nasengine` is light.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

import nasengine.search as _search_package

if TYPE_CHECKING:
    from nasengine.engine import search
    from nasengine.errors import NasError
    from nasengine.ledger import Ledger
    from nasengine.listener import Listener
    from nasengine.planned import Plan
    from nasengine.plugins import load_space, load_strategy
    from nasengine.retrain import train
    from nasengine.runs import Run, Trial
    from nasengine.space import Architecture, Space

    __version__: str

__all__ = [
    "Architecture", "Ledger", "Listener", "NasError", "Plan", "Run", "Space", "Trial", "__version__", "load_space",
    "load_strategy", "search", "train",
]  # fmt: skip

_PLACES = {
    "Architecture": "space",
    "Ledger": "ledger",
    "Listener": "listener",
    "NasError": "errors",
    "Plan": "plan",
    "Run": "runs",
    "Space": "space",
    "Trial": "runs",
    "load_space": "plugins",
    "load_strategy": "plugins",
    "train": "retrain",
}


class _Callable(ModuleType):
    """The package of search loops, which is also the function: `nasengine.search(…)`.

    The import system puts the package under that very name as soon as any part of it is loaded.
    """

    def __call__(self, *args: Any, **words: Any) -> Any:
        from nasengine.engine import search

        return search(*args, **words)


_search_package.__class__ = _Callable


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from nasengine.console.version import version

        return version()
    if name not in _PLACES:
        raise AttributeError(f"module 'nasengine' has no attribute {name!r}")
    return getattr(importlib.import_module(f"nasengine.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
