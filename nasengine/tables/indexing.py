"""From an architecture to its row: three ways in which a file may say what its rows are about.

A table of up to 100,000 rows is read whole: every row has to be an architecture of the space. Larger ones, and those
whose space file can only write its spelling, are looked up by that spelling, and a few samples are tried.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from nasengine.errors import NasError, SpaceError, TableError, did_you_mean
from nasengine.space import Architecture, Space
from nasengine.tables.mapping import TableMapping
from nasengine.tables.reading import Source, some, texts

READ_WHOLE = 100_000
SAMPLES = 50
MISSING = -1  # the number of an option that was not asked for
Find = Callable[[Architecture], int | None]
Picks = dict[str, tuple[str, ...]]


class Index(NamedTuple):
    """Rows by architecture as far as they were made, how others are found, the number of rows, and all faults."""

    known: dict[Architecture, int]
    find: Find
    size: int
    faults: list[str]


def index(mapping: TableMapping, source: Source, space: Space, file: ModuleType | None) -> Index:
    """Read what the rows are about.

    `file` is the space's own, where one is known: it may define `from_string` and `to_string`.
    """
    if mapping.architecture:
        return _by_spelling(texts(source.read([mapping.architecture])[mapping.architecture]), mapping, space, file)
    if mapping.picks:
        read = _numbered(mapping, source, space) or _from_json(texts(source.read([mapping.picks])[mapping.picks]))
    else:
        faults = _decision_faults(mapping, space)
        if faults:
            return Index({}, _nowhere, 0, faults)
        read = _from_columns(mapping, source, space)
    return _by_architecture(read, space)


def _by_spelling(keys: Sequence[str | bytes], mapping: TableMapping, space: Space, file: ModuleType | None) -> Index:
    reads, writes = getattr(file, "from_string", None), getattr(file, "to_string", None)
    if reads and (writes is None or len(keys) <= READ_WHOLE):
        return _by_architecture(_spelled(keys, reads), space)
    if writes is None:
        raise TableError(
            f"space {space.name}: its file defines neither from_string(text) -> Architecture nor "
            "to_string(architecture) -> str; write one of them, or map `decisions` to columns"
        )
    rows = {key: row for row, key in enumerate(keys) if key}
    faults = [] if len(rows) == len(keys) else _kept({}, keys, lambda row: not keys[row])
    find = _through(rows, writes, bool(keys) and isinstance(keys[0], bytes))
    if not keys:
        faults.append("it has no rows")
    elif not faults:
        faults += _sample_faults(find, space, writes, mapping.architecture, keys[0])
    return Index({}, find, len(keys), faults)


def _by_architecture(read: Iterator[Architecture | Picks | str], space: Space) -> Index:
    """Rows by architecture, each of which is checked; a text among them says why a row is none."""
    wrong: dict[str, list[int]] = {}
    made: list[Architecture | None] = []
    for row, one in enumerate(read):
        picks = one.picks if isinstance(one, Architecture) else one
        found = [one] if isinstance(one, str) else space.faults(picks)  # type: ignore[arg-type]
        for fault in found:
            wrong.setdefault(fault, []).append(row)
        if found:
            made.append(None)
        else:
            made.append(one if isinstance(one, Architecture) else _ordered(one, space))  # type: ignore[arg-type]
    rows: dict[Architecture, int] = {}
    faults = [f"{fault} ({_rows(numbers)})" for fault, numbers in wrong.items()]
    if len(faults) > 10:
        faults = [*faults[:10], f"and {len(faults) - 10:,} more that the table and space {space.name} disagree about"]
    if not made:
        faults.append("it has no rows")
    return Index(rows, _nowhere, len(made), faults + _kept(rows, made, lambda row: False))


def _nowhere(architecture: Architecture) -> None:
    """All rows are known: there is no other place to look."""


def _kept(rows: dict[Any, int], keys: Sequence[Any], is_missing: Callable[[int], bool]) -> list[str]:
    """Enter keys with their rows; says which are missing and which come twice. None is passed over."""
    twice, missing = [], []
    for row, key in enumerate(keys):
        if is_missing(row):
            missing.append(row)
        elif key is not None and rows.setdefault(key, row) != row:
            twice.append(f"row {row} as row {rows[key]}")
    faults = [f"{len(missing):,} of {len(keys):,} rows name no architecture ({_rows(missing)})"] if missing else []
    if twice:
        faults.append(f"{len(twice):,} of {len(keys):,} rows repeat the architecture of another: {some(twice)}")
    return faults


def _through(rows: Mapping[str | bytes, int], writes: Callable[[Architecture], str], in_bytes: bool) -> Find:
    def find(architecture: Architecture) -> int | None:
        text = writes(architecture)
        return rows.get(bytes.fromhex(text) if in_bytes else text)

    return find


def _sample_faults(find: Find, space: Space, writes: Any, column: str, first: str | bytes) -> list[str]:
    """A table and a space that share no architecture spell them differently, or are not about the same."""
    rng = random.Random(0)
    samples = [space.sample(rng) for _ in range(SAMPLES)]
    try:
        if any(find(sample) is not None for sample in samples):
            return []
    except ValueError:
        pass  # bytes came, and the space writes no hexadecimal number
    shown = first.hex() if isinstance(first, bytes) else first
    return [
        f'column {column}: none of {SAMPLES} random architectures of space {space.name} has a row; it has "{shown}" '
        f'where the space writes "{writes(samples[0])}"; a table of a small part of a space needs from_string in the '
        "space's file"
    ]


def _spelled(keys: Iterable[str | bytes], reads: Callable[[str], Architecture]) -> Iterator[Architecture | str]:
    for key in keys:
        try:
            yield reads(key.hex() if isinstance(key, bytes) else key) if key else "no architecture is named"
        except (NasError, ValueError, KeyError, IndexError) as error:
            yield str(error) if isinstance(error, SpaceError) else f"from_string({key!r}): {error!r}"


def _from_json(cells: Iterable[str | bytes]) -> Iterator[Picks | str]:
    for cell in cells:
        try:
            plain = json.loads(cell) if cell else None
        except ValueError:
            plain = None
        if isinstance(plain, dict):
            yield {name: (kept,) if isinstance(kept, str) else tuple(map(str, kept)) for name, kept in plain.items()}
        else:
            yield f'picks {cell!r} came; JSON such as {{"decision": ["option"]}} is needed' if cell else "no picks"


def _numbered(mapping: TableMapping, source: Source, space: Space) -> Iterator[Picks | str] | None:
    """Rows of an array (rows, decisions) of option numbers; None where the column is no such array."""
    array = source.read([mapping.picks])[mapping.picks]
    if getattr(array, "ndim", 1) != 2:
        return None
    named = source.read(["decisions"])["decisions"] if "decisions" in source.names else list(space.decisions)
    if len(named) != array.shape[1]:  # type: ignore[attr-defined]
        raise TableError(
            f"table {source.place}: picks of {array.shape[1]} decisions came; "  # type: ignore[attr-defined]
            f"there are {len(named)}: {', '.join(named)}"
        )
    unknown = [name for name in named if name not in space.decisions]
    options = {name: () if name in unknown else space.decisions[name].options for name in named}

    def picks(row: Sequence[int]) -> Picks | str:
        wrong = [f"{n}: no option has number {o}" for n, o in zip(named, row, strict=True)
                 if n not in unknown and not MISSING <= o < len(options[n])]  # fmt: skip
        if wrong:
            return "; ".join(wrong)
        return {n: (options[n][o] if options[n] else str(o),) for n, o in zip(named, row, strict=True) if o != MISSING}

    return map(picks, array.tolist())  # type: ignore[attr-defined]


def _from_columns(mapping: TableMapping, source: Source, space: Space) -> Iterator[Picks]:
    """A column each decision: an option's name, several with + between, or nothing where it is not asked."""
    columns = source.read(list(mapping.decisions.values()))
    cells = [texts(columns[column]) for column in mapping.decisions.values()]
    decisions = [space.decisions[name] for name in mapping.decisions]
    for row in zip(*cells, strict=True):
        yield {
            decision.name: (cell,) if cell in decision.options else tuple(str(cell).split("+"))
            for decision, cell in zip(decisions, row, strict=True)
            if cell
        }


def _decision_faults(mapping: TableMapping, space: Space) -> list[str]:
    strange = [name for name in mapping.decisions if name not in space.decisions]
    absent = [name for name in space.decisions if name not in mapping.decisions]
    faults = [f"decisions: {n} is no decision of space {space.name}.{did_you_mean(n, absent)}" for n in strange]
    if absent:
        faults.append(f"decisions: space {space.name} has {', '.join(absent)}, too; name a column for each")
    return faults


def _ordered(picks: Picks, space: Space) -> Architecture:
    return Architecture(
        {n: kept if len(kept) == 1 else tuple(o for o in space.decisions[n].options if o in kept)
         for n, kept in picks.items()}
    )  # fmt: skip


def _rows(numbers: Sequence[int]) -> str:
    return f"row {numbers[0]}" if len(numbers) == 1 else f"{len(numbers):,} rows: {some(map(str, numbers))}"
