"""A module as a list of statements: what each binds, what it uses, and its text, read without running anything."""

import ast
import inspect
import re
import symtable
import sys
from dataclasses import dataclass, field
from functools import lru_cache

from nasengine.errors import ExportError


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement at the top level of a module, in whole lines, with the comment right above it."""

    node: ast.stmt
    text: str
    binds: frozenset[str]
    uses: frozenset[str]  # global names, those inside its functions and classes too

    @property
    def line(self) -> int:
        """Where it stands, decorators counted."""
        return _first_line(self.node)


@dataclass(frozen=True, eq=False)
class Statements:
    """The statements of one module by the names they bind."""

    module: str
    file: str
    by_name: dict[str, list[Statement]] = field(default_factory=dict)


def statements_of(module: str) -> Statements:
    """Read a module that is imported; raises ExportError where its source cannot be had."""
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None) or f"module {module}"
    try:  # the loader first: it knows the source as it was when the module was loaded
        source = getattr(loaded, "__loader__", None).get_source(module)  # type: ignore[union-attr]
    except (AttributeError, ImportError, OSError):
        source = None
    try:
        source = source or inspect.getsource(loaded)  # type: ignore[arg-type]
    except (OSError, TypeError):
        raise ExportError(f"{file}: its source cannot be read; write the layers into a .py file") from None
    return _parsed(module, file, source)


@lru_cache(maxsize=1024)
def _parsed(module: str, file: str, source: str) -> Statements:
    made = Statements(module, file)
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        first = _first_line(node) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        text = "".join(lines[first : node.end_lineno]).rstrip() + "\n"
        binds, uses = _names(text)
        if isinstance(node, ast.Assign | ast.AugAssign):  # TABLE["key"] = … is part of what TABLE is
            binds |= {base.id for base in map(_base, _targets(node)) if isinstance(base, ast.Name)}
        statement = Statement(node, text, frozenset(binds), frozenset(uses))
        for name in statement.binds:
            made.by_name.setdefault(name, []).append(statement)
    return made


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


def _targets(node: ast.Assign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _base(target: ast.expr) -> ast.expr:
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
    return target


def _names(text: str) -> tuple[set[str], set[str]]:
    """The names that a piece of module binds, and the global ones that it uses."""
    top = symtable.symtable(text, "statement", "exec")
    binds = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    waiting = top.get_children()
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        uses |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return binds, uses


def renamed(statement: Statement, names: dict[str, str], place: str) -> str:
    """The statement's text with global names replaced; raises ExportError where one stands inside an f-string."""
    changed = {old: new for old, new in names.items() if old != new and old in statement.uses | statement.binds}
    if not changed:
        return statement.text
    lines = [line.encode() for line in statement.text.splitlines(keepends=True)]
    for line, column, old in sorted(_positions(statement.text, changed), reverse=True):
        raw, word = lines[line - 1], old.encode()
        if raw[column : column + len(word)] != word:
            raise ExportError(
                f"{place}: {old}: two things of this name meet in the exported file, and this one stands inside an "
                "f-string, where it cannot be renamed; give one of them another name"
            )
        lines[line - 1] = raw[:column] + changed[old].encode() + raw[column + len(word) :]
    return b"".join(lines).decode()


def _positions(text: str, names: dict[str, str]) -> list[tuple[int, int, str]]:
    """(line, column in bytes, name) wherever one of the names stands."""
    found, lines = [], text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and node.id in names:
            found.append((node.lineno, node.col_offset, node.id))
        elif isinstance(node, ast.arg) and node.arg in names:
            found.append((node.lineno, node.col_offset, node.arg))
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in names and node.col_offset == 0:
            match = re.match(r"(class|def)\s+", lines[node.lineno - 1])
            found.append((node.lineno, match.end() if match else -1, node.name))
    return found
