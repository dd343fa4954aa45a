"""Charts, pictures and tables of a page, by the names that the templates know them by; needs plotly."""

from collections.abc import Mapping
from typing import Any

from nasengine.job import plain
from nasengine.report import drawn, insight_charts, pictures, summary, surroundings, training_charts
from nasengine.report.contents import Contents
from nasengine.report.ranks import mean_of_rounds

SHOWN, ON_FRONT = 20, 40  # rows of the tables


def drawings(of: Contents) -> dict[str, Any]:
    """Everything that is drawn or laid out in rows."""
    found = of.found
    made, missing = pictures.pictures(found)
    search = found.search
    return {
        "pictures": made,
        "missing": missing,
        "best_table": summary.table_of(found, _best_rows(of)),
        "front_table": summary.table_of(found, summary.front_rows(found, of.front)[:ON_FRONT]) if of.front else None,
        "progress": [*drawn.progress(found)],
        "planes": [*drawn.planes(found, of.front)],
        "volumes": drawn.volumes(of.front) if of.front else None,
        "learning": [*training_charts.supernets(found), *training_charts.learning(found)],
        "when": training_charts.when(found),
        "gate_charts": [[*insight_charts.of_gates(one)] for one in of.stories],
        "agreement": [*insight_charts.agreement(of.rankings)],
        "early_chart": insight_charts.early_epochs(of.early) if of.early else None,
        "rounds_chart": insight_charts.rounds(of.rounds) if of.rounds else None,
        "rounds_mean": mean_of_rounds([one["tau"] for one in of.rounds]) if of.rounds else None,
        "costs": surroundings.costs(found),
        "settings": _pairs(search["settings"]),
        "options": _pairs(search["options"]),
        "recipes": _recipes(search["recipe"] or {}),
        "fidelity": _pairs(search["fidelity"]),
    }


def _best_rows(of: Contents) -> list[Any]:
    finals, supernets = ([row for row in of.found.rows if row["kind"] == kind] for kind in ("final", "supernet"))
    return [*finals[:SHOWN], *of.found.ranked[:SHOWN], *supernets]


def _pairs(settings: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _said(value)) for name, value in (settings or {}).items()]


def _said(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in plain(value).items())
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _recipes(recipes: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """The recipes beside each other: their names, and a row for each setting."""
    names = list(recipes)
    settings = dict.fromkeys(name for one in recipes.values() for name in one)
    return names, [[s.replace("_", " "), *(_said(recipes[name].get(s)) for name in names)] for s in settings]
