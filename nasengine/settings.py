"""A function's signature as its configuration: its options, and words from a command line made into values."""

import ast
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nasengine.errors import PlugInError, did_you_mean

REQUIRED = inspect.Parameter.empty
_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Setting(NamedTuple):
    """One option: its name, type (Any where neither annotation nor default tells), default (or REQUIRED), and text."""

    name: str
    type: Any
    default: Any
    doc: str

    def __str__(self) -> str:
        return self.name if self.default is REQUIRED else f"{self.name}={self.default!r}"


def settings_of(function: Callable[..., Any], skip: int = 0, *docs: str | None) -> list[Setting]:
    """The options of a function or class, less the first `skip` parameters.

    The text of an option is what follows `name: ` on a line of a docstring.
    """
    parameters = list(_signature(function).parameters.values())[skip:]
    text = "\n".join(filter(None, [inspect.getdoc(function), *docs]))
    named = (p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return [Setting(p.name, _type(p), p.default, _doc(p.name, text)) for p in named]


def fill(place: str, function: Callable[..., Any], given: Mapping[str, Any], skip: int = 0) -> dict[str, Any]:
    """Every setting of a function: the given ones, made into their types, and the defaults of the rest.

    Errors: PlugInError naming every unknown, missing and unreadable setting at once.
    """
    known = {setting.name: setting for setting in settings_of(function, skip)}
    values = {name: setting.default for name, setting in known.items()}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in _signature(function).parameters.values())
    faults = []
    for word, value in given.items():
        name = word.replace("-", "_")
        if name not in known and not open_ended:
            allowed = ", ".join(map(str, known.values())) or "none"
            faults.append(f'unknown setting "{word}"; allowed: {allowed}.{did_you_mean(word, known)}')
            continue
        try:
            values[name] = read(value, known[name].type if name in known else Any)
        except ValueError as error:
            faults.append(f'setting "{word}" came as {value!r}; give {error}')
    missing = [name for name, value in values.items() if value is REQUIRED]
    faults += [f'setting "{name}" is missing; it has no default' for name in missing]
    if faults:
        raise PlugInError("\n".join(f"{place}: {fault}" for fault in faults))
    return values


def read(value: Any, wanted: Any) -> Any:
    """Make a word from a command line, or a value from JSON, into the wanted type; other values pass as they are.

    Errors: ValueError whose text says what would have been right.
    """
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return _read_union(value, inner)
    if origin is typing.Literal:
        return _read_literal(value, inner)
    if (origin or wanted) in (tuple, list):
        return _read_sequence(value, origin or wanted, inner)
    if wanted is float and type(value) is int:
        return float(value)
    return _read_word(value, wanted) if isinstance(value, str) else value


def _read_word(word: str, wanted: Any) -> Any:
    word = word.strip()
    if wanted is bool:
        if word.lower() not in _BOOLS:
            raise ValueError("true or false")
        return _BOOLS[word.lower()]
    if wanted in (int, float):
        try:
            return wanted(word)
        except ValueError:
            raise ValueError("a whole number" if wanted is int else "a number") from None
    if wanted is type(None):
        if word.lower() != "none":
            raise ValueError("none")
        return None
    if wanted is Any:
        try:
            return ast.literal_eval(word)
        except (ValueError, SyntaxError):
            return word
    return word


def _read_union(value: Any, members: tuple[Any, ...]) -> Any:
    wanted = []
    for member in sorted(members, key=lambda member: member is not type(None)):
        try:
            return read(value, member)
        except ValueError as error:
            wanted.append(str(error))
    raise ValueError(" or ".join(wanted))


def _read_literal(value: Any, allowed: tuple[Any, ...]) -> Any:
    match = [one for one in allowed if one == value or str(one) == str(value)]
    if not match:
        hint = did_you_mean(str(value), map(str, allowed))
        raise ValueError(f"one of {', '.join(map(str, allowed))}.{hint}")
    return match[0]


def _read_sequence(value: Any, kind: type, inner: tuple[Any, ...]) -> Any:
    if not isinstance(value, str | list | tuple):
        return value
    words = value.strip("()[] ").split(",") if isinstance(value, str) else value
    parts = [part for part in words if not isinstance(part, str) or part.strip()]
    if kind is list or not inner or inner[-1] is Ellipsis:
        inner = (inner[0] if inner else Any,) * len(parts)
    if len(parts) != len(inner):
        raise ValueError(f"{len(inner)} values with commas between")
    try:
        return kind(read(part, wanted) for part, wanted in zip(parts, inner, strict=True))
    except ValueError as error:
        raise ValueError(f"values with commas between, each {error}") from None


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except NameError:  # an annotation that only a type checker can read
        return inspect.signature(function)


def _type(parameter: inspect.Parameter) -> Any:
    """The annotation, or else the type of the default; a tuple or list of one type is known by its first part."""
    if parameter.annotation is not REQUIRED and not isinstance(parameter.annotation, str):
        return parameter.annotation
    default = parameter.default
    if default is REQUIRED or default is None:
        return Any
    if isinstance(default, tuple) and default:
        return types.GenericAlias(tuple, (type(default[0]), ...))
    return type(default)


def _doc(name: str, text: str) -> str:
    match = re.search(rf"^\s*(?:[-*]\s+)?`*{re.escape(name)}`*:\s+(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else ""
