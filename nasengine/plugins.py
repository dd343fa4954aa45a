"""Finds and loads spaces, strategies, evaluators, executors and formats: a name is a path, and nothing is registered.

`pr-darts` is strategies/pr_darts.py. Wherever a name may stand, so may `./my_file.py` and `package.module`.
"""

import ast
import importlib
import importlib.util
import os
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from nasengine.errors import NasError, PlugInError, did_you_mean
from nasengine.settings import Setting, fill, settings_of
from nasengine.space import Published, Space
from nasengine.user_files import Pack, import_file, pack

FOLDERS = {
    "space": "search_spaces", "strategy": "strategies", "evaluator": "evaluators", "executor": "executors",
    "format": "exporters.formats",
}  # fmt: skip


def find(kind: str, name: str) -> Path:
    """The file that a name, a path or a dotted module name means.

    Errors: PlugInError with the nearest name and all names.
    """
    if _is_path(name):
        return Path(name).expanduser().resolve()
    if "." in name:
        with _teaching(kind, name):
            return _module_file(kind, name)
    path = _folder(kind) / f"{name.lower().replace('-', '_')}.py"
    if not path.is_file() or path.stem.startswith("_"):
        names = [known for known, _ in listing(kind)]
        hint = did_you_mean(name, names)
        raise PlugInError(
            f'{kind} "{name}" is unknown; there are {", ".join(names) or "none"}; '
            f"a path such as ./my_{kind}.py works as well.{hint}"
        )
    return path


def load(kind: str, name: str) -> ModuleType:
    """Import what a name means; an error in it becomes a PlugInError with file and line."""
    path = find(kind, name)
    with _teaching(kind, name):
        if _is_path(name):
            return import_file(path)
        return importlib.import_module(name if "." in name else f"nasengine.{FOLDERS[kind]}.{path.stem}")


def packed(kind: str, name: str) -> Pack | None:
    """A user's own file as text that another process can import; None for what is installed there as well."""
    if not _is_path(name):
        return None
    with _teaching(kind, name):
        return pack(find(kind, name))


def load_space(name: str, settings: Mapping[str, Any] | None = None) -> Space:
    """Build a space; it records every setting, the given ones and the defaults, in `Space.settings`.

    Words are made into the types of the signature, so that settings may come straight from a command line.
    """
    function = _space_function(name)
    values = fill(f"space {name}", function, settings or {})
    _require_images(name, values)
    with _teaching("space", name):
        space = function(**values)
    if not isinstance(space, Space):
        raise PlugInError(f"space {name}: space(…) returned {type(space).__name__}; it has to return a Space")
    return replace(space, settings=values)


def _require_images(name: str, values: Mapping[str, Any]) -> None:
    """Raise PlugInError where the two reserved settings, `input` and `classes`, are no images and no classes."""
    input, classes, faults = values.get("input"), values.get("classes"), []
    if isinstance(input, tuple) and (len(input) != 3 or min(input) < 1):
        faults.append(f"input={input} came; give channels, height and width of an image, each 1 or more")
    if isinstance(classes, int) and classes < 1:
        faults.append(f"classes={classes} came; give 1 or more")
    if faults:
        raise PlugInError("\n".join(f"space {name}: {fault}" for fault in faults))


def load_strategy(name: str, space: Space, options: Mapping[str, Any] | None = None) -> Any:
    """Build the strategy of a file for a space, its options read like the settings of a space."""
    made = strategy_class(name)
    values = fill(f"strategy {name}", made, options or {}, skip=1)
    with _teaching("strategy", name):
        return made(space, **values)


def strategy_class(name: str) -> type[Any]:
    """The one public class that a strategy's file defines."""
    return one_class("strategy", name)


def one_class(kind: str, name: str) -> type[Any]:
    """The one public class that a plug-in's file defines; none or several are a PlugInError."""
    module = load(kind, name)
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    public = [one for one in dict.fromkeys(classes) if not one.__name__.startswith("_")]
    if len(public) != 1:
        found = ", ".join(one.__name__ for one in public) or "none"
        raise PlugInError(
            f"{kind} {name}: its file defines these public classes: {found}; "
            "it has to define exactly one; give the others a leading underscore"
        )
    return public[0]


def signature(kind: str, name: str) -> list[Setting]:
    """The settings of a space, or of the class of another plug-in, as (name, type, default, text)."""
    module = load(kind, name)
    if kind == "space":
        return settings_of(_space_function(name), 0, module.__doc__)
    made = one_class(kind, name)
    return settings_of(made, 1 if kind == "strategy" else 0, made.__init__.__doc__, module.__doc__)


def listing(kind: str) -> list[tuple[str, str]]:
    """Names with the first sentence of each file's docstring, read without importing anything."""
    files = sorted(_folder(kind).glob("[!_]*.py"))
    return [(path.stem.replace("_", "-"), _first_sentence(path)) for path in files]


def published(space: str, architecture: str) -> Published:
    """A space's named architecture; case, `-` and `_` in the name do not matter."""
    known: Mapping[str, Published] = getattr(load("space", space), "ARCHITECTURES", {})
    for name, found in known.items():
        if _plain(name) == _plain(architecture):
            return found
    raise PlugInError(
        f'space {space}: no architecture is called "{architecture}"; '
        f"there are {', '.join(known) or 'none with a name'}.{did_you_mean(architecture, known)}"
    )


def supernet_settings(name: str) -> dict[str, Any]:
    """What a space wants changed in its settings while a supernet is trained."""
    return dict(getattr(load("space", name), "SUPERNET", {}))


def _space_function(name: str) -> Any:
    module = load("space", name)
    if not callable(getattr(module, "space", None)):
        raise PlugInError(f"space {name}: {module.__file__} defines no function `space`; write `def space(…) -> Space`")
    return module.space


def _folder(kind: str) -> Path:
    return Path(__file__).parent.joinpath(*FOLDERS[kind].split("."))


def _module_file(kind: str, name: str) -> Path:
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise PlugInError(
            f'{kind} "{name}": there is no such module; install its package, or give a path such as ./my_{kind}.py'
        )
    return Path(spec.origin)


def _is_path(name: str) -> bool:
    return name.endswith(".py") or os.sep in name or "/" in name


def _is_ours(name: str) -> bool:
    return not _is_path(name) and "." not in name


def _plain(name: str) -> str:
    return re.sub("[-_]", "", name).lower()


def _first_sentence(path: Path) -> str:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        return f"(not readable: line {error.lineno}: {error.msg})"
    holders: list[ast.Module | ast.ClassDef] = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    text = next(filter(None, map(ast.get_docstring, holders)), "")
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", " ".join(text.split("\n\n")[0].split()))[0]


@contextmanager
def _teaching(kind: str, name: str) -> Iterator[None]:
    """Make an error from inside a plug-in name the file and the line."""
    try:
        yield
    except NasError as error:
        line = _line(error)
        if line and not _is_ours(name):
            raise type(error)(f"{line}: {error}") from error
        raise
    except Exception as error:
        advice = "; install that package, or, for a file beside this one, write `from .NAME import …`"
        advice = advice if isinstance(error, ModuleNotFoundError) else ""
        place = _line(error) or f"{kind} {name}"
        raise PlugInError(f"{place}: {type(error).__name__}: {error}{advice}") from error


@contextmanager
def blaming(kind: str, name: str) -> Iterator[None]:
    """Make an error that comes out of a plug-in at work name its file and line; errors of others pass."""
    try:
        yield
    except NasError:
        raise
    except Exception as error:
        file = find(kind, name)
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
        if not own:
            raise
        raise PlugInError(f"{file}:{own[-1].lineno}: {type(error).__name__}: {error}") from error


def _line(error: Exception) -> str:
    """`file:line` of the deepest frame in the plug-in's own folder; empty where the plug-in was not reached."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    ways_in = (__file__, str(Path(__file__).with_name("user_files.py")), importlib.__file__, "<frozen importlib")
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if not frame.filename.startswith(ways_in)]
    own = [frame for frame in inside if Path(frame.filename).parent == Path(inside[0].filename).parent]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""
