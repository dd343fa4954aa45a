"""FNAS' knowledge pool: blocks of trained candidates, from which new candidates start.

Liu et al., 2021, https://arxiv.org/abs/2105.11694. Every block of a new candidate starts from the most similar one of
the pool, so that all start from something and none is favoured. Of equal blocks the pool keeps the one whose candidate
was best.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasengine.interpreters.blocks import Block, blocks
from nasengine.space import Architecture, Space

Source = tuple[str, str]  # the file of weights, and the place of the block in it


class Pool:
    """Trained blocks by description."""

    def __init__(self, space: Space):
        self.space = space
        self.columns: dict[str, int] = {}  # feature -> column
        self.held: dict[tuple[tuple[str, float], ...], tuple[float, Source]] = {}
        self._rows: NDArray[np.float64] | None = None  # one row for each block held, made anew when one comes

    def add(self, architecture: Architecture, file: str, value: float) -> bool:
        """Take in the blocks of a trained candidate; False where its file is not there (any more)."""
        if not Path(file).is_file():
            return False
        for block in blocks(self.space, architecture):
            key = tuple(block.features.items())
            if key not in self.held or value >= self.held[key][0]:
                self.held[key] = (value, (file, block.place))
            for feature in block.features:
                self.columns.setdefault(feature, len(self.columns))
        self._rows = None
        return True

    def nearest(self, block: Block) -> tuple[float, Source]:
        """The most similar block held: the cosine of both descriptions, and where its weights are."""
        if self._rows is None:
            self._rows = np.stack([self._vector(dict(key)) for key in self.held])
        similar = np.dot(self._rows, self._vector(dict(block.features)))
        best = int(similar.argmax())
        _, source = list(self.held.values())[best]
        return float(similar[best]), source

    def _vector(self, features: dict[str, float]) -> NDArray[np.float64]:
        """Length 1, but for features that no block of the pool has."""
        vector = np.zeros(len(self.columns))
        for feature, value in features.items():
            if feature in self.columns:
                vector[self.columns[feature]] = value
        return vector / np.linalg.norm(list(features.values()))

    def inherit(self, architecture: Architecture) -> dict[str, Source]:
        """For every block of an architecture the weights to start from; nothing while the pool is empty."""
        if not self.held:
            return {}
        return {block.place: self.nearest(block)[1] for block in blocks(self.space, architecture)}
