"""What each value of a recipe may be, and how text becomes one."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from nasengine.errors import did_you_mean

_POSITIVE = (lambda value: 0 < value < float("inf"), "a number above 0")
_FROM_ZERO = (lambda value: 0 <= value < float("inf"), "a number from 0 up")
_FROM_ONE = (lambda value: value >= 1, "a whole number from 1 up")
_SHARE = (lambda value: 0 <= value < 1, "a number from 0 to below 1")
_LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": _FROM_ONE,
    "batch": _FROM_ONE,
    "lr": _POSITIVE,
    "weight_decay": _FROM_ZERO,
    "momentum": _SHARE,
    "betas": (lambda value: all(0 <= beta < 1 for beta in value), "numbers from 0 to below 1"),
    "clip": _FROM_ZERO,
    "gamma": (lambda value: 0 < value <= 1, "a number above 0, up to 1"),
    "warmup": _FROM_ZERO,
    "min_lr": _FROM_ZERO,
    "crop": _FROM_ZERO,
    "cutout": _FROM_ZERO,
    "drop_path": _SHARE,
    "label_smoothing": _SHARE,
    "auxiliary": _FROM_ZERO,
    "start": (lambda value: True, "the name of a file"),
}


def read(values: Mapping[str, Any], types: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the values in their types, the unreadable left out, and a sentence for each fault."""
    good, faults = {}, []
    for name, value in values.items():
        allowed = get_args(types[name]) if get_origin(types[name]) is Literal else ()
        fits, words = _LIMITS.get(name, (lambda value: True, "true or false"))
        if allowed and value not in allowed:
            hint = did_you_mean(str(value), allowed)
            faults.append(f'recipe.{name}: "{value}" came; {", ".join(allowed)} are allowed.{hint}')
            continue
        try:
            typed = value if allowed else _typed(value, types[name])
        except (KeyError, TypeError, ValueError):
            typed = None
        if typed is None or not fits(typed):
            faults.append(f"recipe.{name}: {value!r} came; {words} is allowed")
        else:
            good[name] = typed
    return good, faults


def _typed(value: Any, kind: Any) -> Any:
    """Return the value as the field's type; KeyError, TypeError or ValueError where its meaning would change."""
    if kind is bool:
        return {"true": True, "false": False}[value.lower()] if isinstance(value, str) else _same(value, bool)
    if get_origin(kind) is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(float(part) for part in parts if part != "")
    if isinstance(value, bool):
        raise TypeError
    number = kind(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    return number


def _same(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value
