"""What layers need to stand in a file of their own: their classes, bases, functions, constants and imports."""

import ast
import builtins
import graphlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from nasengine.errors import ExportError
from nasengine.interpreters.statements import Statement, Statements, renamed, statements_of

FREE = {"torch", *sys.stdlib_module_names} - {"__main__"}  # packages that an exported file may import
OURS = "nasengine.layers"
KNOWN = {*vars(builtins), "__name__", "__file__", "__doc__"}


class Closure:
    """Collects what exported layers need, following imports within their own package and nasengine.layers.

    Anything else (another package, a class made inside a function or in __main__) raises ExportError with file, line
    and name. Two things of one name from different modules get different names.
    """

    def __init__(self, reserved: tuple[str, ...] = ()) -> None:
        self._owners: dict[str, Any] = {name: "reserved" for name in reserved}
        self._names: dict[Any, str] = {}  # what is meant -> its name in the exported file
        self._local: dict[str, dict[str, str]] = {}  # module -> its own names -> those of the exported file
        self._kept: dict[str, dict[int, Statement]] = {}  # module -> line -> statement
        self._needs: dict[str, set[str]] = {}  # module -> modules that it takes definitions from
        self.lines: set[str] = set()

    def name(self, thing: type | Callable[..., Any]) -> str:
        """How the exported file calls a class or a function; what it needs is collected."""
        module, path = thing.__module__, thing.__qualname__
        if module == "builtins":
            return path
        if module.split(".")[0] in FREE:
            return self._from_library(thing)
        if "<" in path or module == "__main__":
            where = "in __main__" if module == "__main__" else "inside a function"
            raise ExportError(
                f"{_where(thing)}: {path}: it is defined {where}, where its source cannot be taken along; "
                "move it to the top level of a .py file that is imported"
            )
        top, *inner = path.split(".")
        statements = statements_of(module)
        found = self._defined(statements, top, f"{statements.file}:1")
        meant: Any = sys.modules[module]
        for part in path.split("."):
            meant = getattr(meant, part, None)
        if meant is not thing:
            raise ExportError(
                f"{_where(thing)}: {path}: the file binds this name to something else than what is used; "
                "give every layer a name of its own"
            )
        return ".".join([found, *inner])

    def imported(self, module: str, name: str, local: str = "") -> str:
        """The name under which the exported file imports `name` from a module of torch or the standard library."""
        found = self._named(f"{module}.{name}", local or name)
        self.lines.add(f"from {module} import {name}" + (f" as {found}" if found != name else ""))
        return found

    def imports(self) -> str:
        """The import lines, sorted: the standard library, then torch."""
        groups: dict[str, list[str]] = {"__future__": [], "": [], "torch": []}
        if any("annotations" in statements_of(module).by_name for module in self._kept):
            groups["__future__"].append("from __future__ import annotations")
        for line in _joined(self.lines):
            groups["torch" if line.split()[1].split(".")[0] == "torch" else ""].append(line)
        return "\n\n".join("\n".join(lines) for lines in groups.values() if lines)

    def definitions(self) -> list[str]:
        """The collected statements, each after those that it needs."""
        graph = {module: self._needs.get(module, set()) - {module} for module in self._kept}
        try:
            order = list(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            circle = " -> ".join(error.args[1])
            raise ExportError(f"{circle}: these import each other; put what they share in one file") from None
        made = []
        for module in order:
            for line, statement in sorted(self._kept[module].items()):
                made.append(renamed(statement, self._local[module], f"{statements_of(module).file}:{line}"))
        return made

    def _from_library(self, thing: type | Callable[..., Any]) -> str:
        module, (top, *inner) = thing.__module__, thing.__qualname__.split(".")
        if getattr(sys.modules.get("torch.nn"), top, None) is thing:
            return f"{self.imported('torch', 'nn')}.{top}"
        return ".".join([self.imported(module, top), *inner])

    def _named(self, meant: Any, wanted: str) -> str:
        """The one name of what is meant: the wanted one, with a number where that is taken."""
        if meant not in self._names:
            name, number = wanted, 1
            while name in self._owners:
                number += 1
                name = f"{wanted}{number}"
            self._owners[name] = meant
            self._names[meant] = name
        return self._names[meant]

    def _defined(self, statements: Statements, name: str, asked_at: str) -> str:
        """The exported name of a module's global name, wherever it comes from."""
        local = self._local.setdefault(statements.module, {})
        if name in local or (name in KNOWN and name not in statements.by_name):
            return local.get(name, name)
        if name not in statements.by_name:
            raise ExportError(
                f"{asked_at}: {name}: the file binds it by no statement of its own (a star import, or while "
                "running); define it, or import it by name"
            )
        found = statements.by_name[name]
        if not all(isinstance(statement.node, ast.Import | ast.ImportFrom) for statement in found):
            local[name] = self._named((statements.module, name), name)
        for statement in found:
            place = f"{statements.file}:{statement.line}"
            if isinstance(statement.node, ast.Import):
                local[name] = self._import(statement.node, name, place)
            elif isinstance(statement.node, ast.ImportFrom):
                local[name] = self._import_from(statement.node, name, place, statements.module)
            else:
                self._keep(statements, statement, place)
        return local[name]

    def _keep(self, statements: Statements, statement: Statement, place: str) -> None:
        kept = self._kept.setdefault(statements.module, {})
        if statement.line in kept:
            return
        kept[statement.line] = statement
        for node in ast.walk(statement.node):
            for package in _packages(node):
                if package not in FREE:
                    raise ExportError(
                        f"{statements.file}:{node.lineno}: {package or 'a file beside it'}: imported inside a "  # type: ignore[attr-defined]
                        "definition; exported source imports torch and the standard library only; import layers at the "
                        "top of the file"
                    )
        for name in sorted(statement.uses | statement.binds):
            self._defined(statements, name, place)

    def _import(self, node: ast.Import, name: str, place: str) -> str:
        found = ""
        for alias in node.names:
            if name == (alias.asname or alias.name.split(".")[0]):
                if alias.name.split(".")[0] not in FREE:
                    raise _refused(place, name, alias.name)
                found = self._named(alias.name if alias.asname else name, name)
                self.lines.add(f"import {alias.name}" + (f" as {found}" if alias.asname else ""))
        return found

    def _import_from(self, node: ast.ImportFrom, name: str, place: str, module: str) -> str:
        alias = next(alias for alias in node.names if name == (alias.asname or alias.name))
        package = sys.modules[module].__package__ or ""
        source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        if source.split(".")[0] in FREE:
            return self.imported(source, alias.name, name)
        if not _same_house(source, module):
            raise _refused(place, name, source)
        if isinstance(getattr(importlib.import_module(source), alias.name, None), ModuleType):
            raise ExportError(
                f"{place}: {name}: a whole module of layers is imported; import the classes: from {source}.{alias.name}"
            )
        found = self._defined(statements_of(source), alias.name, place)
        owner = next((owner[0] for owner in [self._owners.get(found)] if isinstance(owner, tuple)), module)
        self._needs.setdefault(module, set()).add(owner)
        return found


def _same_house(source: str, module: str) -> bool:
    """Whether `module` may take definitions of `source` along: its own package's, or our layers'."""
    if source == OURS or source.startswith(OURS + "."):
        return True
    return source.split(".")[0] == module.split(".")[0] != "nasengine"


def _refused(place: str, name: str, source: str) -> ExportError:
    return ExportError(
        f"{place}: {name}: imported from {source}; exported source may hold torch, the standard library, "
        "nasengine.layers and files of the layer's own package; write what is needed into the layer's file"
    )


def _packages(node: ast.AST) -> Iterator[str]:
    """The top-level packages that an import statement names; empty text for a relative one."""
    if isinstance(node, ast.Import):
        yield from (alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "" if node.level else (node.module or "").split(".")[0]


def _where(thing: Any) -> str:
    """file:line of a class or function, by the code of what is defined in it."""
    for part in (thing, *vars(thing).values()):
        code = getattr(part, "__code__", None)
        if code is not None:
            return f"{code.co_filename}:{code.co_firstlineno}"
    return f"module {thing.__module__}"


def _joined(lines: set[str]) -> list[str]:
    """Import lines as isort writes them: plain ones first, and one line for all names of a module."""
    plain = sorted(line for line in lines if line.startswith("import "))
    names: dict[str, list[str]] = {}
    for line in lines - set(plain):
        _, module, _, rest = line.split(maxsplit=3)
        names.setdefault(module if " as " not in rest else f"{module} {rest}", []).append(rest)
    made = [f"from {key.split()[0]} import {', '.join(sorted(rest, key=_by_case))}" for key, rest in names.items()]
    return plain + sorted(made)


def _by_case(name: str) -> tuple[int, str]:
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return rank, name
