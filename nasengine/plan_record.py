"""What a search was asked, in a form that a database keeps, so that the search can be asked again."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from nasengine.executors._terms import Terms
from nasengine.planned import Plan

Words = ParamSpec("Words")
ELSEWHERE = ("name", "db")  # facts of the record itself


def remembered(make: Callable[Words, Plan]) -> Callable[Words, Plan]:
    """Let a plan keep the arguments that it was made from, but those that are as they would be anyway."""
    signature = inspect.signature(make)
    usual = {name: one.default for name, one in signature.parameters.items() if one.default is not one.empty}
    usual |= {one.name: one.default for one in fields(Terms)}

    @wraps(make)
    def made(*args: Words.args, **kwargs: Words.kwargs) -> Plan:
        plan = make(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        given |= given.pop("terms", {})
        return replace(plan, words=recorded({**given, "limit": plan.limit}, usual))

    return made


def recorded(given: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The words as JSON can hold them: paths as text, tuples as lists; None for objects, such as arrays of images."""
    kept = {name: kept_as(value) for name, value in given.items() if name not in ELSEWHERE and value is not None}
    empty: tuple[Any, ...] = ({}, [])
    return {name: value for name, value in kept.items() if value not in empty and _unusual(value, name, usual)}


def _unusual(value: Any, name: str, usual: Mapping[str, Any]) -> bool:
    return value is None or value != usual.get(name)


def kept_as(value: Any) -> Any:
    """One word as JSON can hold it."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): kept_as(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        inner = [kept_as(one) for one in value]
        return None if any(one is None and old is not None for one, old in zip(inner, value, strict=True)) else inner
    return None
