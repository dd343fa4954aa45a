"""Many picture files made into one array: looked at first, then decoded by several threads, into memory or a file."""

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nasengine.errors import DataError
from nasengine.training import picture_cache
from nasengine.training.reading import Reading
from nasengine.training.streamed import Streamed

Array = NDArray[Any]
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".tif", ".tiff"}
_DEPTHS = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}
_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4, "mask": 0}
_SHOWN = 5
Given = TypeVar("Given")
Made = TypeVar("Made")


class Picture(NamedTuple):
    """One picture: its name in messages, what tells one version of it from another, and what opens it."""

    name: str
    stamp: str
    content: Path | Callable[[], bytes | None]


class Decoded(NamedTuple):
    """Pixels (N, channels, height, width), or masks (N, height, width), and the places of pictures left out."""

    pixels: Array | Streamed
    damaged: dict[int, str]  # what is wrong, by place


class _Head(NamedTuple):
    mode: str
    size: tuple[int, int]  # height, width


def of_file(path: Path, name: str | None = None) -> Picture:
    """Return the picture of a file."""
    found = path.stat()
    return Picture(name or str(path), f"{path.absolute()}|{found.st_size}|{found.st_mtime_ns}", path)


def decode(pictures: Sequence[Picture], reading: Reading, masks: bool = False) -> Decoded:
    """Return pictures of one size as bytes: grey only where all of them are, masks with the number of each pixel.

    With `options.size` each is scaled so that it covers the square, and what sticks out is cut off on both sides; it
    is turned first as its camera was held. Sixteen bits become eight; transparency is dropped unless `channels` is
    rgba. Damaged pictures are refused, all of them named, or left out where `options.skip_damaged` says so: then their
    places hold zeros. Where all would take too much memory they lie in the cache, and are decoded only once.
    """
    options = reading.options
    key = picture_cache.key_of(
        (str(options.size), str(options.channels), str(masks)), (picture.stamp for picture in pictures)
    )
    if found := picture_cache.kept(key):
        pixels, facts = found
        damaged = {int(place): text for place, text in facts["damaged"].items()}
        _answer_for(damaged, pictures, reading)
        inside = not reading.too_large(int(np.prod(pixels.shape)))
        return Decoded(np.fromfile(pixels.file, np.uint8).reshape(pixels.stored) if inside else pixels, damaged)
    damaged = {}
    mode, shape = _common(pictures, damaged, reading, masks)

    def fill(target: Array) -> dict[str, Any]:
        read = partial(_pixels, mode=mode, size=options.size, shape=shape)
        for place, made in enumerate(_threaded(partial(_guarded, read), pictures)):
            if isinstance(made, str):
                damaged[place] = made
            else:
                target[place] = made
            reading.progress(place + 1, len(pictures))
        return {"damaged": damaged, "source": reading.place}

    every = (len(pictures), *shape)
    if reading.too_large(int(np.prod(every))):
        result: Array | Streamed = picture_cache.keep(key, every, "uint8", fill)[0]
    else:
        result = np.zeros(every, np.uint8)
        fill(result)
    _answer_for(damaged, pictures, reading)
    return Decoded(result, damaged)


def _common(
    pictures: Sequence[Picture], damaged: dict[int, str], reading: Reading, masks: bool
) -> tuple[str, tuple[int, ...]]:
    """Return the mode and the shape that all pictures have or will have; notes those that cannot be opened."""
    heads: dict[int, _Head] = {}
    for place, head in enumerate(_threaded(partial(_guarded, _head), pictures)):
        if isinstance(head, _Head):
            heads[place] = head
        else:
            damaged[place] = head
    options = reading.options
    if damaged and not options.skip_damaged:
        _answer_for(damaged, pictures, reading)
    if not heads:
        raise DataError(f"{reading.place}: {len(pictures)} pictures came, and none is readable; at least one is needed")
    grey = all(_is_grey(head.mode) for head in heads.values())
    mode = "mask" if masks else _DEPTHS[options.channels or ("grey" if grey else "rgb")]
    side = options.size
    height, width = (side, side) if side else _one_size(pictures, heads, reading)
    channels = _CHANNELS[mode]
    return mode, (channels, height, width) if channels else (height, width)


def _one_size(pictures: Sequence[Picture], heads: dict[int, _Head], reading: Reading) -> tuple[int, int]:
    sizes = Counter(head.size for head in heads.values())
    usual = sizes.most_common(1)[0][0]
    others = [place for place, head in heads.items() if head.size != usual]
    if others:
        odd = "x".join(map(str, heads[others[0]].size))
        more = f"; so do {len(others) - 1:,} more of {len(pictures):,}" if len(others) > 1 else ""
        raise DataError(
            f"{reading.place}: {pictures[others[0]].name} differs in size ({'x'.join(map(str, usual))} and {odd})"
            f"{more}; one size is needed: bring them to one by the option size, such as ?size=64"
        )
    return usual


def _answer_for(damaged: dict[int, str], pictures: Sequence[Picture], reading: Reading) -> None:
    """Raise DataError that names damaged pictures; where they may be left out, tell of them."""
    if not damaged:
        return
    shown = [f"{pictures[place].name} ({damaged[place]})" for place in sorted(damaged)[:_SHOWN]]
    more = f", and {len(damaged) - _SHOWN:,} more" if len(damaged) > _SHOWN else ""
    what = f"{len(damaged):,} of {len(pictures):,} pictures"
    if reading.options.skip_damaged:
        reading.on_note(f"{reading.place}: {what} are damaged and left out: {', '.join(shown)}{more}")
        return
    if len(damaged) == 1:
        (place, reason), *_ = damaged.items()
        what = f"{pictures[place].name} is no readable picture ({reason})"
    else:
        what += f" are not readable: {', '.join(shown)}{more}"
    raise DataError(
        f"{reading.place}: {what}; mend or remove what is named, or leave it out by the option skip-damaged "
        "(?skip-damaged=true)"
    )


def _threaded(work: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """Do the same to each by as many threads as there are cores, in order; pillow works without Python's lock."""
    threads = len(os.sched_getaffinity(0))
    if threads == 1:
        yield from map(work, given)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from _in_order(pool, work, given, 8 * threads)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Given], Made], given: Iterable[Given], ahead: int
) -> Iterator[Made]:
    """As the pool's own map, but never more than so many ahead of who asks: results are large."""
    waiting: list[Any] = []
    for one in given:
        waiting.append(pool.submit(work, one))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _guarded(read: Callable[[Picture], Made], picture: Picture) -> Made | str:
    """What was read of a picture, or what is wrong with it."""
    from PIL import Image

    try:
        return read(picture)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        return re.sub(r""" (?:'.*'|".*"|<.*>)$""", "", str(error)) or type(error).__name__  # it is named already


def _opened(picture: Picture) -> Any:
    from PIL import Image

    if isinstance(picture.content, Path):
        return Image.open(picture.content)
    content = picture.content()
    if not content:
        raise ValueError("no bytes")
    return Image.open(io.BytesIO(content))


def _head(picture: Picture) -> _Head:
    with _opened(picture) as opened:
        if opened.mode in ("I", "F"):
            raise ValueError(f"mode {opened.mode}: pixels of 32 bits; 8 or 16 are read")
        return _Head(opened.mode, (opened.height, opened.width))


def _is_grey(mode: str) -> bool:
    return mode in ("1", "L") or mode.startswith("I;16")


def _pixels(picture: Picture, mode: str, size: int | None, shape: tuple[int, ...]) -> Array:
    from PIL import Image, ImageOps

    with _opened(picture) as opened:
        if mode == "mask" and opened.mode not in ("1", "L", "P"):
            raise ValueError(f"mode {opened.mode}: a mask holds one number for each pixel")
        found = opened
        if size is not None:
            opened.draft(None, (2 * size, 2 * size))  # a JPEG is decoded no larger than it has to be
            found, square = ImageOps.exif_transpose(opened), (size, size)
            if mode == "mask":
                return np.asarray(ImageOps.fit(found, square, Image.Resampling.NEAREST))
            found = ImageOps.fit(_in_mode(found, mode), square, Image.Resampling.BILINEAR)
        elif mode != "mask":
            found = _in_mode(found, mode)
        array = np.asarray(found)
    return array if mode == "mask" else array.reshape(*shape[1:], shape[0]).transpose(2, 0, 1)


def _in_mode(image: Any, mode: str) -> Any:
    from PIL import Image

    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image if image.mode == mode else image.convert(mode)
