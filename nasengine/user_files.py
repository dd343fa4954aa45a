"""Imports a user's own file as nasengine_user.HASH.STEM, where HASH stands for the file and the siblings it reads.

So two versions of one file live side by side, relative imports of siblings work, and a class keeps its name for as long
as its source stays the same. The source is kept in `linecache`: a later edit changes neither tracebacks nor exports.
"""

import ast
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from nasengine.errors import PlugInError

PACKAGE = "nasengine_user"
Pack = dict[str, Any]  # {"module": full name, "files": {full name: [path, source]}}


class _Sources(importlib.abc.ExecutionLoader, importlib.abc.MetaPathFinder):
    """Finds and loads the modules whose sources were read, from memory."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[Path, str]] = {}  # by full module name

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module that was read, or a folder (a package without a file) above one."""
        if name in self.files:
            return importlib.util.spec_from_loader(name, self, is_package=self.is_package(name))
        if any(known.startswith(name + ".") for known in self.files):
            return importlib.machinery.ModuleSpec(name, None, is_package=True)
        return None

    def is_package(self, name: str) -> bool:
        return self.files[name][0].name == "__init__.py"

    def get_filename(self, name: str) -> str:
        return str(self.files[name][0])

    def get_source(self, name: str) -> str:
        return self.files[name][1]


_sources = _Sources()


def import_file(path: Path) -> ModuleType:
    """Import a `.py` file, or a folder with `__init__.py`, with what it imports relatively.

    Errors: PlugInError when the file is missing or is not Python; whatever the file raises, as it is.
    """
    return importlib.import_module(accept(pack(path)))


def pack(path: Path) -> Pack:
    """Return a user's file, and what it imports relatively, as plain text that another process can `accept`."""
    path = path.expanduser().resolve()
    if not (path.is_file() and path.suffix == ".py") and not (path / "__init__.py").is_file():
        raise PlugInError(f"{path}: no such Python file; give a .py file or a folder with __init__.py")
    files = _closure(path.parent, path.stem)
    text = "\0".join(f"{name}\0{source}" for name, (_, source) in sorted(files.items()))
    package = f"{PACKAGE}.{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    sources = {f"{package}.{name}": [str(file), source] for name, (file, source) in files.items()}
    return {"module": f"{package}.{path.stem}", "files": sources}


def accept(packed: Pack) -> str:
    """Make a packed file importable here, under the name that is returned; nothing is written, nothing runs yet."""
    for name, (file, source) in packed["files"].items():
        _sources.files[name] = Path(file), source
        linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    if _sources not in sys.meta_path:
        sys.meta_path.append(_sources)
    return str(packed["module"])


def _closure(root: Path, module: str) -> dict[str, tuple[Path, str]]:
    """The file of a module, and of all that it reaches by relative imports: (path, source) by name below root."""
    found: dict[str, tuple[Path, str]] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        base = root.joinpath(*name.split("."))
        path = next((p for p in (base.with_name(base.name + ".py"), base / "__init__.py") if p.is_file()), None)
        if path is not None and name not in found:
            found[name] = path, _read(path)
            waiting += _relative_imports(path, name, found[name][1])
    return found


def _relative_imports(path: Path, module: str, source: str) -> list[str]:
    """Names below the root that a module may mean by its relative imports, with the packages above them."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        above = [PACKAGE, *filter(None, package.split("."))]
        if node.level > len(above):
            raise PlugInError(
                f"{path}:{node.lineno}: imports from above its own folder; move that file beside this one"
            )
        target = [*above[1 : len(above) - node.level + 1], *filter(None, (node.module or "").split("."))]
        names += [".".join(target[:end]) for end in range(1, len(target) + 1)]
        names += [".".join([*target, alias.name]) for alias in node.names]
    return names


def _read(path: Path) -> str:
    try:
        source = path.read_text(encoding="utf-8")
        ast.parse(source)
    except SyntaxError as error:
        raise PlugInError(f"{path}:{error.lineno}: {error.msg}: {(error.text or '').strip()}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise PlugInError(f"{path}: is not Python source in UTF-8 ({error})") from error
    return source
