"""The Markdown note of a trial in Optuna's dashboard: its figures, where it comes from, what to do with it."""

from collections.abc import Iterator, Mapping
from typing import Any

from nasengine.commands import export_command, show_command, train_command
from nasengine.job import Json
from nasengine.ledger.optuna_aims import Aims, figures_of
from nasengine.ledger.optuna_trial import answer

MOST_DIFFERENCES = 8  # that are listed


class Notes:
    """Writes the notes of one search; it must see every candidate, in order, to know which earlier one is closest."""

    def __init__(self, search: Json, db: str) -> None:
        self._search = search
        self._db = db
        self._seen: dict[int, frozenset[tuple[str, str]]] = {}

    def see(self, row: Mapping[str, Any]) -> None:
        """Remember a candidate's architecture."""
        if row["kind"] == "candidate" and row["architecture"]:
            self._seen[row["number"]] = _answers(row)

    def note(self, row: Mapping[str, Any], aims: Aims, picture: str | None = None) -> str:
        """Return the note of a row of `nas_trials`; `picture` is the address of its drawing, which is shown small."""
        title = f"### {self._search['name']}: {row['kind']} {row['number']}, {_state(row)}"
        drawing = [f"[The picture in full size]({picture})"] if picture else []
        parts = [title, _figures(row, aims), *drawing, *self._origin(row), *self._commands(row)]
        return "\n\n".join(parts) + "\n"

    def _origin(self, row: Mapping[str, Any]) -> Iterator[str]:
        search, lineage = self._search, row["lineage"] or {}
        if row["kind"] == "candidate":
            yield f"**Proposed** by `{search['strategy']}` as number {row['number']}, seed {search['seed']}."
            yield from self._closest(row)
        elif row["kind"] == "supernet":
            yield f"**Learned** by `{search['strategy']}`; its decisions are those on which the gates settled."
        if "chosen_from" in lineage:
            yield f"**Chosen** from trial {lineage['chosen_from']} and trained on all but the test data."
        if lineage.get("inherit"):
            yield "Training began with weights of another network."
        if row["reused_from"]:
            yield f"Not trained again: an equal trial had this result (ledger id {row['reused_from']})."
        if row["error"]:
            yield f"**Error**\n\n```\n{row['error']}\n```"

    def _closest(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Name the earlier candidate from which it differs least: of an evolution it is, as a rule, a parent."""
        mine = _answers(row)
        earlier = [number for number in self._seen if number < row["number"]]
        if not earlier or not mine:
            return
        closest = min(earlier, key=lambda number: (len(self._seen[number] ^ mine), -number))
        there, here = dict(self._seen[closest]), dict(mine)
        changed = [name for name in {**there, **here} if there.get(name) != here.get(name)]
        text = (
            f"**Closest earlier candidate**: {closest}, which answers {len(changed)} of {len(here)} decisions otherwise"
        )
        if 0 < len(changed) <= MOST_DIFFERENCES:
            lines = [f"- `{name}`: {there.get(name, 'not asked')} → {here.get(name, 'not asked')}" for name in changed]
            text += ":\n\n" + "\n".join(sorted(lines))
        yield text if changed else f"**Closest earlier candidate**: {closest}, of the same architecture"

    def _commands(self, row: Mapping[str, Any]) -> Iterator[str]:
        if row["state"] == "failed" or not row["architecture"]:
            return
        trial = {**row, "trial": row["number"]}
        commands = [show_command(self._search, trial, self._db)]
        if row["kind"] != "supernet":
            commands += [make(self._search, trial, self._db) for make in (export_command, train_command)]
        what = "to show it" if row["kind"] == "supernet" else "to show it, to take it away, to train it again"
        yield f"**Commands** {what}:\n\n```bash\n" + "\n".join(commands) + "\n```"


def _answers(row: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((name, answer(picks)) for name, picks in (row["architecture"] or {}).items())


def _state(row: Mapping[str, Any]) -> str:
    return f"ended early after epoch {row['stopped']}" if row["state"] == "pruned" else str(row["state"])


def _figures(row: Mapping[str, Any], aims: Aims) -> str:
    known = figures_of(row)
    asked = [name for name in (*aims.objectives, *aims.bounds) if name in known]  # these come first
    figures = {name: known[name] for name in (*asked, *known)}
    lines = [f"| {name} | {_number(value)} | {_wish(name, value, aims)} |" for name, value in figures.items()]
    return "\n".join(["| figure | value | |", "|---|---:|---|", *lines]) if lines else "No figures."


def _wish(name: str, value: float, aims: Aims) -> str:
    if name in aims.objectives:
        return "to be large" if aims.objectives[name] else "to be small"
    if name not in aims.bounds:
        return ""
    bound = aims.bounds[name]
    return f"bound {_number(bound)}: " + ("kept" if value <= bound else f"**broken by {value / bound - 1:.1%}**")


def _number(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
