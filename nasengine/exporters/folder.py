"""A found network as a folder: every format is written, loaded again and compared before any file takes its place."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasengine.errors import ExportError, NasError
from nasengine.exporters.card import card
from nasengine.exporters.compare import check, leaving_of, twin_of
from nasengine.exporters.facts import facts_of
from nasengine.exporters.format import Format, formats_of
from nasengine.exporters.held_out import HeldOut, preprocessing
from nasengine.exporters.parity import Check, refuse_different
from nasengine.interpreters import drawing, picture
from nasengine.interpreters.model import Model

USUAL = ("source", "safetensors")
FACTS, CARD, DRAWING = "architecture.json", "README.md", "drawing.svg"


@dataclass(frozen=True)
class Exported:
    """An exported folder."""

    folder: Path
    files: tuple[Path, ...]
    checks: tuple[Check, ...]
    params: int
    macs: int
    facts: Mapping[str, Any]

    @property
    def parity(self) -> float:
        """The largest difference of any format to the model, relative to the output's size."""
        return max(one.difference for one in self.checks)


def export(
    model: Model,
    folder: Path | str,
    formats: Sequence[str] = USUAL,
    *,
    batch: int | None = None,
    held_out: HeldOut | None = None,
    facts: Mapping[str, Any] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Exported:
    """Write a found network to a folder, after checking that every written format computes the same.

    `batch` fixes the number of images that the traced formats take; None leaves it open. `held_out` are images to
    measure the network on before and after. `facts` (digest, values, recipe, data, seed, lineage, …) go into
    architecture.json and README.md. Batch statistics are taken as they are: estimate inherited ones anew before.
    Files of these names are replaced, and those of an earlier export that this one does not write are removed; others
    in the folder stay. Raises ExportError where the network cannot leave, ParityError where a format differs; the
    folder is then as it was.
    """
    folder = Path(folder)
    if model.is_supernet:
        raise ExportError(
            f"export: the supernet of {model.space.name} came; one network can leave: model.inherit(architecture)"
        )
    chosen = ready(folder, formats)
    treated = {"preprocessing": preprocessing(held_out.dataset)} if held_out else {}
    known = facts_of(model, {**treated, **(facts or {})})
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=_existing(folder)) as temporary:
            return _export(model, folder, Path(temporary), chosen, batch, held_out, known, note)
    except OSError as error:
        told = f"export: {folder}: {error.strerror or error}; nothing was changed; make room there"
        raise ExportError(told) from error


def ready(folder: Path, formats: Sequence[str]) -> dict[str, Format]:
    """The formats, once it is known that they and the folder can be had; ExportError with every fault."""
    faults = []
    try:
        chosen = formats_of(formats)
    except NasError as error:
        chosen = {}
        faults.append(str(error))
    faults += _faults(folder, [name for one in chosen.values() for name in one.files])
    if faults:
        raise ExportError("\n".join(faults))
    return chosen


def _faults(folder: Path, names: Sequence[str]) -> list[str]:
    """Why files of these names cannot be written into a folder."""
    above = _existing(folder)
    blocked = next((path for path in (folder, *folder.absolute().parents) if path.exists() and not path.is_dir()), None)
    if blocked is not None:
        return [f"export: {blocked} is a file; name a folder, there or not"]
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=above):
            pass
    except OSError as error:
        return [f"export: nothing can be written into {above}: {error.strerror}; name another folder"]
    in_the_way = [name for name in (*names, FACTS, CARD, DRAWING) if (folder / name).is_dir()]
    return [f"export: {folder / name} is a folder; a file of this name is written; move it" for name in in_the_way]


def _export(
    model: Model, folder: Path, temporary: Path, chosen: Mapping[str, Format], batch: int | None,
    held_out: HeldOut | None, known: dict[str, Any], note: Callable[[str], None],
) -> Exported:  # fmt: skip
    leaving, twin = leaving_of(model, temporary, batch, known), twin_of(model)
    side = _side(model, held_out)
    before = held_out.measure(twin, fixed=batch, side=side) if held_out else None
    checks = []
    for name, made in chosen.items():
        note(f"{name}: writing, loading again, comparing")
        checks.append(check(name, made, leaving, twin, temporary, held_out, before, side))
    refuse_different(checks)
    parity = max(one.difference for one in checks)
    measured = {} if held_out is None else {"held_out": {**held_out.facts(), "resized_to": side, "network": before}}
    known |= {"parity": parity, "batch": batch or "dynamic", **measured}
    known["formats"] = {one.format: one.to_json() for one in checks}
    names = [*(name for one in checks for name in one.files), *_described(model, chosen, known, temporary)]
    _move(temporary, folder, names)
    paths = tuple(folder / name for name in names)
    return Exported(folder, paths, tuple(checks), known["params"], known["macs"], known)


def _side(model: Model, held_out: HeldOut | None) -> int | None:
    """To how many pixels a side held-out images are brought, where the network takes others than there are."""
    if held_out is None or tuple(held_out.dataset.input) == tuple(model.space.input):
        return None
    return int(model.space.input[1])


def _described(model: Model, chosen: Mapping[str, Format], facts: dict[str, Any], folder: Path) -> list[str]:
    """Write drawing, facts and card; returns their names."""
    drawn = picture.has_dot()
    if drawn:
        picture.draw(model.space, model.picks, folder / DRAWING)  # type: ignore[arg-type]
    names = [*([DRAWING] if drawn else []), FACTS, CARD]
    text = json.dumps(facts, indent=2, default=str, ensure_ascii=False)
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")
    lines = drawing.outline(model.space, model.picks)  # type: ignore[arg-type]
    how = {name: made.how for name, made in chosen.items()}
    (folder / CARD).write_text(card(facts, DRAWING if drawn else None, lines, how), encoding="utf-8")
    return names


def _move(temporary: Path, folder: Path, names: Sequence[str]) -> None:
    """Put files in their place, and take away those that an earlier export left and this one did not write."""
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _earlier(folder)
    for name in names:
        (temporary / name).chmod((temporary / CARD).stat().st_mode)  # safetensors lets nobody else read its files
        os.replace(temporary / name, folder / name)
    for name in earlier - set(names):
        (folder / name).unlink(missing_ok=True)


def _earlier(folder: Path) -> set[str]:
    """The files that an earlier export wrote here, as its architecture.json says."""
    try:
        formats = json.loads((folder / FACTS).read_text(encoding="utf-8"))["formats"].values()
        names = {name for one in formats for name in one["files"]} | {DRAWING}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
    return {name for name in names if isinstance(name, str) and Path(name).name == name and (folder / name).is_file()}


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: on the same disk, so that files move in one step."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())
