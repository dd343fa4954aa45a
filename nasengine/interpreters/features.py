"""Many architectures at once as rows of numbers: what a predictor learns from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy
from numpy.typing import NDArray

from nasengine.interpreters.encoding import Paths, columns, paths
from nasengine.interpreters.identity import identities
from nasengine.interpreters.sketch import count_paths, sketch
from nasengine.space import Architecture, Space

Code = Literal["all", "one-hot", "graph", "paths"]
Matrix = NDArray[numpy.float32]
Switches = NDArray[numpy.bool_]


class Features:
    """A code for the architectures of a space; `names` says what each number stands for.

    - "one-hot": one for each option that is kept, as GBDT-NAS has it (https://arxiv.org/abs/2007.04785);
    - "graph": what lies on live paths, those from the input to the output without a zero: the one-hot code of the
      picks there; how many there are of each option, whichever decision picked it, in each shared piece; how often a
      path meets each; and the logarithm of the number of paths;
    - "all": both;
    - "paths": one for each path of BANANAS' encoding (https://arxiv.org/abs/1910.11858) that an architecture has.
      Columns are the paths that `learn` has seen.
    """

    def __init__(self, space: Space, code: Code = "all") -> None:
        self.space, self.code = space, code
        self.options = columns(space)
        self.column = {option: number for number, option in enumerate(self.options)}
        self.sketch = sketch(space, self.column)
        self.seen: dict[tuple[str, ...], int] = {}
        self.groups = _groups(self.options, {vertex.piece for vertex in self.sketch.vertices})

    @property
    def names(self) -> list[str]:
        """What the columns stand for."""
        if self.code == "paths":
            return [" > ".join(path) for path in self.seen]
        picked = [f"{name} is {option}" for name, option in self.options]
        live = [f"{name} is {option} on a live path" for name, option in self.options]
        words = [f"{piece} {leaf} {option}".strip() for piece, leaf, option in self.groups]
        found = [*live, *(f"{w}, number" for w in words), *(f"{w}, per path" for w in words)]
        found += [f"paths of {piece or 'the network'}" for piece in self.sketch.outputs]
        return {"one-hot": picked, "graph": found, "all": picked + found}[self.code]

    def learn(self, architectures: Sequence[Architecture]) -> None:
        """Give the paths of these architectures columns; other codes have all of theirs from the start."""
        if self.code == "paths":
            for one in architectures:
                for path in sorted(self._paths(one)):
                    self.seen.setdefault(path, len(self.seen))

    def of(self, architectures: Sequence[Architecture]) -> Matrix:
        """The code of each, (architectures, columns)."""
        if self.code == "paths":
            return self._bits(architectures)
        on = self.picked(architectures)
        parts = [on] if self.code == "one-hot" else [*self._graph(on)]
        return numpy.concatenate([on, *parts] if self.code == "all" else parts, axis=1, dtype=numpy.float32)

    def picked(self, architectures: Sequence[Architecture]) -> Switches:
        """Which options each keeps, (architectures, options)."""
        made = numpy.zeros((len(architectures), len(self.options)), bool)
        found = [
            (row, self.column[name, option])
            for row, architecture in enumerate(architectures)
            for name, kept in architecture.picks.items()
            for option in kept
            if (name, option) in self.column
        ]
        if found:
            made[tuple(numpy.array(found).T)] = True
        return made

    def identities(self, architectures: Sequence[Architecture]) -> list[bytes]:
        """For each its network and recipe in short: equal where only the spelling differs."""
        on = self.picked(architectures)
        recipe = on[:, [self.column[o] for o in self.options if o[0] in self.space.recipe_decisions]]
        hashes = identities(self.sketch, on)
        return [one.tobytes() + rest.tobytes() for one, rest in zip(hashes, recipe, strict=True)]

    def _graph(self, on: Switches) -> list[NDArray[numpy.float64]]:
        to, through = count_paths(self.sketch, on)
        live, met = numpy.zeros((2, len(self.options), len(on)))
        for number, vertex in enumerate(self.sketch.vertices):
            for column in vertex.marks:
                here = through[number] * on[:, column]
                live[column] = numpy.maximum(live[column], here > 0)
                output = self.sketch.outputs[vertex.piece]
                met[column] += 0.0 if output is None else here / numpy.maximum(to[output], 1.0)
        totals = [numpy.zeros(len(on)) if o is None else numpy.log1p(to[o]) for o in self.sketch.outputs.values()]
        groups = list(self.groups.values())
        numbers, means = ([of[group].sum(axis=0) for group in groups] for of in (live, met))
        return [live.T, *(numpy.array(rows).T for rows in (numbers, means, totals) if rows)]

    def _paths(self, architecture: Architecture) -> Paths:
        return _known_paths(self.space, architecture)

    def _bits(self, architectures: Sequence[Architecture]) -> Matrix:
        made = numpy.zeros((len(architectures), len(self.seen)), numpy.float32)
        for row, one in enumerate(architectures):
            made[row, [self.seen[path] for path in self._paths(one) if path in self.seen]] = 1.0
        return made


@lru_cache(maxsize=1 << 16)
def _known_paths(space: Space, architecture: Architecture) -> Paths:
    return paths(space, architecture)


def _groups(options: Sequence[tuple[str, str]], pieces: set[str]) -> dict[tuple[str, str, str], list[int]]:
    """The columns that say the same at different places: (shared piece, last word of the decision, option)."""
    found = defaultdict(list)
    for number, (name, option) in enumerate(options):
        piece, _, leaf = name.partition(".")[0], *name.rpartition(".")[1:]
        found[piece if piece in pieces else "", leaf, option].append(number)
    return dict(found)
