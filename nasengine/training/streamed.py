"""Images that stay on disk: a memory-mapped file of pixels, normalised batch by batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasengine.errors import DataError

PIECE = 2**24  # bytes looked at in one go
Figures = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Streamed:
    """Rows of a file of pixels (N, channels, height, width), or of masks (N, height, width): what is indexed is read.

    With `normal`, mean and deviation of each channel, indexing gives the float32 images that `normalised` would give of
    all; without, the numbers as int64, none above `most`. With `side` images become (channels, side, side) on their
    way. It travels to other processes as the file's name and the rows, so they have to see the file.
    """

    file: Path
    stored: tuple[int, ...]
    kind: str
    rows: Tensor
    normal: tuple[Figures, Figures] | None = None
    side: int | None = None
    most: int | None = None
    device: torch.device = torch.device("cpu")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: Any) -> Tensor:
        """Return what lies at a place, a slice or a tensor of places, on the device.

        A GPU gets it while the host goes on, if the places are on the CPU.
        """
        rows = self.rows[places.cpu() if isinstance(places, Tensor) else places]
        pixels = self._read(rows, pinned=self.device.type == "cuda").to(self.device, non_blocking=True)
        if self.normal is None:
            found = pixels.long()
            return found if self.side is None else resized_masks(found, self.side)
        images = normalised(pixels, *(_on(self.device, figures) for figures in self.normal))
        return images if self.side is None else resized(images, self.side)

    @property
    def shape(self) -> torch.Size:
        """The shape that all of it would have."""
        shape = self.stored[1:] if self.side is None else (*self.stored[1:-2], self.side, self.side)
        return torch.Size((len(self.rows), *shape))

    def select(self, places: Any) -> "Streamed":
        """Return some of the images, still on disk."""
        return replace(self, rows=self.rows[places.cpu() if isinstance(places, Tensor) else places])

    def normal_by(self, mean: Tensor, std: Tensor) -> "Streamed":
        """Return the images as they come when they are normalised."""
        return replace(self, normal=(tuple(mean.tolist()), tuple(std.tolist())))

    def joined(self, other: "Streamed") -> "Streamed":
        """Return these and others of the same file."""
        return replace(self, rows=torch.cat([self.rows, other.rows]))

    def to(self, device: torch.device | str) -> "Streamed":
        """Return the images as they come to a device: bytes travel, and are normalised there."""
        return replace(self, device=torch.device(device))

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the numbers as they are stored, some rows at a time."""
        each = max(PIECE // max(int(np.prod(self.stored[1:])), 1), 1)
        for rows in self.rows.split(each):
            yield self._read(rows).numpy()

    def facts(self) -> dict[str, Any]:
        """Return all but the rows, as JSON takes it; `from_facts` is the way back."""
        names = ("stored", "kind", "normal", "side", "most")
        return {"file": str(self.file), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], rows: Tensor) -> "Streamed":
        """Return what gave such facts, with its rows."""
        normal = facts["normal"] and tuple(map(tuple, facts["normal"]))
        known = {"file": Path(facts["file"]), "stored": tuple(facts["stored"]), "normal": normal}
        return cls(**{**facts, **known}, rows=rows)

    def _read(self, rows: Tensor, pinned: bool = False) -> Tensor:
        """Return rows as they are stored; in `pinned` memory, from which a GPU takes them by itself."""
        kind = torch.from_numpy(np.empty(0, self.kind)).dtype
        found = torch.empty((*rows.shape, *self.stored[1:]), dtype=kind, pin_memory=pinned)
        # "clip", for numpy would else fill a buffer of its own first; all rows are there
        mapped, numbers = _mapped(self.file, self.stored, self.kind), found.numpy()
        np.take(mapped, rows.numpy(), axis=0, out=numbers, mode="clip")
        if self.most is not None:
            np.minimum(numbers, self.most, out=numbers)
        return found


@lru_cache(maxsize=16)
def _mapped(file: Path, shape: tuple[int, ...], kind: str) -> NDArray[Any]:
    try:
        return np.memmap(file, kind, "r", shape=shape)
    except (OSError, ValueError) as error:
        raise DataError(
            f"data: the decoded pictures in {file} cannot be read ({error}); all workers need them: set "
            "NASENGINE_CACHE to a folder that they share, and begin again"
        ) from error


@lru_cache(maxsize=16)
def _on(device: torch.device, figures: Figures) -> Tensor:
    """Return figures as float32 on a device: brought there once, for each time the host would wait."""
    return torch.tensor(figures, dtype=torch.float32, device=device)


def normalised(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return (image - mean) / std of each channel in float32, bytes divided by 255 before."""
    numbers = images.to(torch.float32, copy=True)
    if images.dtype == torch.uint8:
        # A tensor, not a number: GPUs multiply by a number's reciprocal, whose last bit differs.
        numbers.div_(torch.full((1,), 255.0, device=images.device))
    return numbers.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1))


def resized(images: Tensor, side: int) -> Tensor:
    """Return square images by bilinear interpolation, smoothed first where they shrink."""
    return torch.nn.functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


def resized_masks(masks: Tensor, side: int) -> Tensor:
    """Return square masks (N, side, side) of the nearest pixels."""
    return torch.nn.functional.interpolate(masks[:, None].float(), (side, side), mode="nearest-exact")[:, 0].long()


def pieces(images: "NDArray[Any] | Streamed") -> Iterator[NDArray[Any]]:
    """Yield numbers in memory or on disk, some rows at a time."""
    if isinstance(images, Streamed):
        yield from images.pieces()
    else:
        each = max(PIECE // max(images[:1].nbytes, 1), 1)
        yield from (images[start : start + each] for start in range(0, len(images), each))
