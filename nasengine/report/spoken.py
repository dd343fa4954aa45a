"""What a strategy said and what went wrong, in short: the latest exchanges, and failures in groups."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from nasengine.job import Json
from nasengine.report.findings import Findings

LATEST, LETTERS, GROUPS, NAMED = 24, 1200, 30, 12


@dataclass(frozen=True)
class Said:
    """One remark: after how many proposals, of which kind, its text cut short, its figures."""

    number: int
    kind: str
    text: str
    figures: str


@dataclass(frozen=True)
class Failures:
    """Failures that differ in numbers only: what they have in common, the trials, the first one in full."""

    title: str
    count: int
    trials: str
    text: str


def exchanges(found: Findings) -> list[Said]:
    """The latest remarks but for rounds of predictions, which have a chart; warnings all, each once."""
    others = [one for one in found.said if one["kind"] not in ("fidelity", "warning")]
    warned = {one["text"]: one for one in found.said if one["kind"] == "warning"}
    return [_said(one) for one in [*warned.values(), *others[-LATEST:]]]


def kinds(found: Findings) -> str:
    """How many remarks of which kind there are."""
    return ", ".join(f"{count:,} {kind}" for kind, count in Counter(one["kind"] for one in found.said).items())


def _said(remark: Json) -> Said:
    text, values = remark["text"], remark["values"] or {}
    short = text if len(text) <= LETTERS else f"{text[: LETTERS // 2]}\n[…]\n{text[-LETTERS // 2 :]}"
    figures = ", ".join(f"{name.replace('_', ' ')} {value:.6g}" for name, value in values.items() if value is not None)
    return Said(remark["number"], remark["kind"], short, figures)


def failures(found: Findings) -> list[Failures]:
    """Trials that failed, also those that did better when they ran again, and faults of workers; the most first."""
    grouped: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, text in [*_of_trials(found.rows), *_of_workers(found)]:
        grouped[_title(text)].append((name, text))
    most_first = sorted(grouped.items(), key=lambda item: -len(item[1]))
    return [Failures(title, len(some), _names(some), some[0][1][: LETTERS * 4]) for title, some in most_first[:GROUPS]]


def _of_trials(rows: Sequence[Json]) -> list[tuple[str, str]]:
    found = []
    for row in rows:
        name = str(row["trial"]) if row["kind"] == "candidate" else f"{row['kind']} {row['trial']}"
        earlier = [one["error"] for one in (row["lineage"] or {}).get("failed_before", ()) if one.get("error")]
        found += [(f"{name} (before it ran again)", error) for error in earlier]
        if row["error"] and row["outcome"] != "infeasible":
            found.append((name, row["error"]))
    return found


def _of_workers(found: Findings) -> list[tuple[str, str]]:
    return [("a worker", fault["text"]) for fault in found.faults]


def _title(text: str) -> str:
    """The last line of an error with its numbers left out, by which equal ones are known."""
    kept = [line.strip() for line in text.strip().splitlines() if line.strip()] or ["an error without words"]
    return re.sub(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", "N", kept[-1][:300])


def _names(some: Sequence[tuple[str, str]]) -> str:
    names = list(dict.fromkeys(name for name, _ in some))
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
