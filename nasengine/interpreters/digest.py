"""Who a network is: a digest that is the same for every spelling of one network, in every process."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.remembered import Remembered
from nasengine.interpreters.shape import Shape, build, layer_facts, layer_key, plain_key
from nasengine.interpreters.tally import Tally
from nasengine.space import Architecture, Choice, Space, run

VERSION = "nas1:"  # changes whenever the rules below do: digests are stored


class Sum(NamedTuple):
    """A value of the network: a sum of terms, each a digest; no terms are zeros."""

    terms: tuple[str, ...]
    shape: Shape


def digest(space: Space, architecture: Architecture) -> str:
    """The network's identity, `nas1:` and 32 hexadecimal digits.

    Sums flatten, commute and associate; identities vanish; zeros drop from sums, and a layer that keeps zeros turns
    zeros into zeros (a convolution with batch norm does not). What is there for training alone is left out. The
    input's shape, the layers' qualified names and all their settings, defaults too, count; the space's name does not.
    """
    start = Sum((f"input{tuple(space.input)}",), tuple(space.input))
    output = run(space.network, (start,), architecture, _Digests())
    return VERSION + ("absent" if output is None else _named(output))


class _Digests:
    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Sum, ...]) -> Sum:
        if getattr(layer, "identity", False) or getattr(layer, "training_only", False):
            return inputs[0]
        shapes = tuple([value.shape for value in inputs])
        silent = getattr(layer, "keeps_zero", False) and not any(value.terms for value in inputs)
        if silent or getattr(layer, "zero", False):
            return Sum((), layer_facts(place, layer, settings, shapes).output)
        shape, words = _told(place, layer, settings, shapes)
        return Sum((_hash(words, *map(_named, inputs)),), shape)

    def add(self, place: str, values: Sequence[Sum]) -> Sum:
        return Sum(tuple(sorted(term for value in values for term in value.terms)), values[0].shape)

    def concat(self, place: str, values: Sequence[Sum]) -> Sum:
        channels = sum(value.shape[0] for value in values)
        return Sum((_hash("concat", *map(_named, values)),), (channels, *values[0].shape[1:]))

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, Sum]]) -> Sum:
        values = [value for _, value in on.values()]
        return values[0] if len(values) == 1 else self.add(name, values)


def _named(value: Sum) -> str:
    return value.terms[0] if len(value.terms) == 1 else _hash("sum", str(value.shape), *value.terms)


def _hash(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


_said = Remembered[Any, tuple[Shape, str]](16384)


def _told(place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> tuple[Shape, str]:
    """A layer's output shape; its name and settings."""
    key = layer, inputs, plain_key(settings)
    found = _said.get(key)
    if found is None:
        found = layer_facts(place, layer, settings, inputs).output, _spelled(place, layer, settings)
        if key[2] is not None:  # what is not plain may change, or be another at the same address
            _said[key] = found
    return found


def _spelled(place: str, layer: type, settings: Mapping[str, Any]) -> str:
    everything = sorted({**_defaults(layer), **settings}.items())
    return f"{layer.__module__}.{layer.__qualname__}({', '.join(f'{n}={_value(place, n, v)}' for n, v in everything)})"


@lru_cache(maxsize=4096)
def _defaults(layer: type) -> dict[str, Any]:
    parameters = inspect.signature(layer).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _value(place: str, name: str, value: Any) -> str:
    """A setting as words that are the same in every process."""
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(_value(place, name, one) for one in value) + ")"
    if isinstance(value, type) or inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    words = repr(value)
    if " at 0x" in words:
        raise SpaceError(
            f"{place}: setting {name} is {words}, which has no name that lasts; "
            "give plain values, tuples, classes or functions"
        )
    return words


def layers_fingerprint(space: Space, architecture: Architecture) -> str:
    """A sha256 over the source of every layer class the network trains with, those inside other layers included.

    Functions that layers call are not followed. Raises SpaceError for a class whose source cannot be read.
    """
    return _fingerprint(_all_classes.of(space, architecture))


@lru_cache(maxsize=4096)
def _fingerprint(found: frozenset[type]) -> str:
    sources = sorted(f"{cls.__module__}.{cls.__qualname__}\n{_source(cls)}" for cls in found)
    return sha256("\n".join(sources).encode()).hexdigest()


_memory = Remembered[Any, frozenset[type]](16384)


def _classes(
    place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]
) -> tuple[Shape, frozenset[type]]:
    """A layer's output shape, its class and those inside it, remembered per layer, settings and shapes."""
    key = layer_key(layer, settings, inputs)
    output = layer_facts(place, layer, settings, inputs).output
    found = _memory.get(key)
    if found is None:
        with torch.device("meta"):
            modules = build(layer, inputs, settings).modules()
        found = _memory[key] = frozenset(cls for module in modules for cls in _own_classes(type(module)))
    return output, found


def _both(one: frozenset[type], other: frozenset[type]) -> frozenset[type]:
    return one if other <= one else one | other  # most pieces have no class that was not met before


_all_classes = Tally(frozenset[type](), _classes, _both, asides=True)


def _own_classes(cls: type) -> Iterator[type]:
    """A class and those it inherits from, Python's and torch's own aside."""
    return (base for base in cls.__mro__ if base.__module__.split(".")[0] not in {"builtins", "torch", "typing"})


@lru_cache(maxsize=4096)
def _source(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError) as error:
        raise SpaceError(
            f"layer {cls.__qualname__}: its source cannot be read ({error}), so results could not be told apart when "
            "it changes; define it in a file"
        ) from error
