"""Which architectures are one network in two spellings: a hash for each of many at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
from numpy.typing import NDArray

from nasengine.interpreters.sketch import Sketch, Vertex

Hashes = NDArray[numpy.uint64]


def identities(made: Sketch, on: NDArray[numpy.bool_]) -> Hashes:
    """A hash of each architecture's network; `on` is (architectures, columns).

    Two are equal by the rules of the digest, except that values may be concatenated in any order. They hold within
    one sketch only, and need neither torch nor a walk for each architecture. Settings that are derived from picks are
    taken to follow from what is seen of these picks elsewhere.
    """
    with numpy.errstate(over="ignore"):
        return _Identities(made, on.T.astype(numpy.uint64)).network()


class _Identities:
    """Sums are sums of hashes, so they flatten and commute, and zeros vanish."""

    def __init__(self, made: Sketch, opened: Hashes) -> None:
        self.made, self.opened = made, opened
        self.value = numpy.zeros((len(made.vertices), opened.shape[1]), numpy.uint64)
        self.present = numpy.zeros(self.value.shape, bool)  # a zero is, an edge that is not there is not

    def network(self) -> Hashes:
        for number, vertex in enumerate(self.made.vertices):
            self.present[number] = vertex.kind in ("input", "zero")
            for source, column in vertex.ways:
                opened = True if column is None else self.opened[column] > 0
                self.present[number] |= self.present[source] & opened
            self.value[number] = self.of(vertex)
            self.value[number] *= self.present[number]
        output = self.made.outputs[""]
        return self.value[0] * numpy.uint64(0) if output is None else self.value[output]

    def of(self, vertex: Vertex) -> Any:
        if vertex.kind == "input":
            return numpy.uint64(vertex.word)
        if vertex.kind == "layer":
            return self.layer(vertex)
        arriving = list(self.arriving(vertex))
        total = sum(arriving, numpy.uint64(0))
        if vertex.kind == "concat":
            several = sum(self.present[source].astype(int) for source, _ in vertex.ways) > 1
            stirred = [_mixed(value + _ONE) for value in arriving]
            present = [self.present[source] for source, _ in vertex.ways]
            terms: Any = sum((value * here for value, here in zip(stirred, present, strict=True)), numpy.uint64(0))
            total = numpy.where(several, _mixed(terms), total)
        return total

    def layer(self, vertex: Vertex) -> Hashes:
        word = numpy.full(self.value.shape[1], vertex.word, numpy.uint64)
        for column, size in zip(vertex.marks, vertex.sizes, strict=True):
            word += self.opened[column] * numpy.uint64(size)
        if vertex.runs is not None and (output := self.made.outputs[vertex.runs]) is not None:
            word += self.value[output]
        arriving = list(self.arriving(vertex))
        for value in arriving:
            word = _mixed(word) + value
        silent = vertex.keeps_zero & (numpy.array(arriving) == 0).all(0)
        return _mixed(word) * ~silent

    def arriving(self, vertex: Vertex) -> Iterator[Hashes]:
        for source, column in vertex.ways:
            yield self.value[source] if column is None else self.value[source] * self.opened[column]


_ONE = numpy.uint64(1)


def _mixed(value: Hashes) -> Hashes:
    """Bits stirred so that sums of different terms differ: the finaliser of SplitMix64."""
    value = (value ^ (value >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return value ^ (value >> numpy.uint64(31))
