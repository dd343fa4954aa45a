"""What the fidelity command does and says."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasengine.bench.agreement import Agreement
from nasengine.bench.scatter import check_picture, write_scatter
from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.output import emit, note, number, say, table
from nasengine.console.searching import resumable
from nasengine.fidelity import Fidelity


def compare(name: str, words: Mapping[str, Any], *, draw: str | None, db: str, json: bool, line: str) -> int:
    """Measure and train a sample of networks, and report how far both agree; returns the exit code."""
    from nasengine.console.progress import listener
    from nasengine.fidelity.conduct import conduct
    from nasengine.fidelity.sample import prepare

    if draw is not None:
        check_picture(Path(draw))
    sample = prepare(name, db=named(db), **words)
    shown = listener()
    with resumable(shown, line):
        found = conduct(sample, named(db), shown, line)
    if json:
        emit(figures(found))
    else:
        show(found)
    if draw is not None:
        note(f"drawn into {picture(found, Path(draw))}")
    return exits.OK


def figures(found: Fidelity) -> dict[str, Any]:
    """Everything that was found, by the names of `--json`."""
    return {
        "search": found.name,
        "supernet": found.supernet,
        **found.agreement._asdict(),
        "baselines": {name: one._asdict() for name, one in found.baselines.items()},
        "doubts": found.doubts,
        "pairs": [asdict(pair) for pair in found.pairs],
    }


def show(found: Fidelity) -> None:
    """The pairs from the best trained network down, how far rankings agree, and what to do where they do not."""
    columns = ["network", "inherited", "trained", "parameters", "multiply-adds"]
    best_first = sorted(found.pairs, key=lambda pair: (pair.trained is not None, pair.trained), reverse=True)
    table(
        columns,
        [
            (pair.number, number(pair.inherited), number(pair.trained), number(pair.params), number(pair.macs))
            for pair in best_first
        ],
        right=columns,
    )
    say("")
    ranked = {f"weights of {found.supernet}": found.agreement, **found.baselines}
    columns = ["ranked by", "tau with trained", "95 %", "rho"]
    table(columns, [(name, *_words(one)) for name, one in ranked.items()], right=columns[1:])
    say(f"\n{found.agreement.samples} networks; tau is Kendall's tau-b, rho Spearman's; the interval is by bootstrap")
    for doubt in found.doubts:
        say(f"\n{doubt}.")


def _words(one: Agreement) -> tuple[str, str, str]:
    return f"{one.tau:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{one.rho:.3f}"


def picture(found: Fidelity, path: Path) -> Path:
    """The pairs that have both values, drawn."""
    told = [
        (pair.inherited, pair.trained, str(pair.number))
        for pair in found.pairs
        if pair.inherited is not None and pair.trained is not None
    ]
    x, y, names = zip(*told, strict=True)
    one = found.agreement
    title = f"{found.supernet}: tau {one.tau:.2f}, 95 % from {one.low:.2f} to {one.high:.2f}"
    axes = ("validation accuracy, inherited weights", "validation accuracy, trained")
    return write_scatter(x, y, names, axes, title, path)
