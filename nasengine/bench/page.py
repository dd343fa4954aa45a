"""The page of a comparison: one HTML file that needs no network, with its table, curves, protocol and command."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from nasengine.bench.colours import UNIFORM, colour
from nasengine.bench.comparison import Comparison
from nasengine.bench.plot import plot
from nasengine.bench.wording import Row, named, verdicts

PAGE = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 1220px; margin: 2em auto;
  padding: 0 1em }
h1 { font-size: 1.6em; line-height: 1.25 } h2 { font-size: 1.2em; margin-top: 2em }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .84em }
th, td { padding: .3em .5em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th { white-space: normal; vertical-align: bottom }
th:first-child, td:first-child { text-align: left } tr:last-child { color: #666 }
.scroll { overflow-x: auto } pre { background: #f5f5f5; padding: .8em; white-space: pre-wrap }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px }
</style></head><body>
<h1>$title</h1>
<p>$summary</p>
<div class="scroll">$table</div>
<p>Mean ± standard error over the seeds. Rank, regret and optimum are those of the best found, by what strategies select
by; rank 1 is the table's best. The last line is not a run but the exact expectation.</p>
<h2>Which beats which</h2>
$verdicts
<h2>Over the queries</h2>
<p>Means over the seeds with bands of 95 % (bootstrap over the seeds). Drag to zoom, double-click to see all, click a
name to hide it. The plot of regret ends where every seed has found the table's best.</p>
$plot
<h2>How it was done</h2>
$remarks
<pre>$command</pre>
<p>$environment</p>
</body></html>
""")


def write_page(
    comparison: Comparison, title: str, summary: str, command: str, environment: Mapping[str, Any], folder: Path
) -> Path:
    """Write comparison.html; needs plotly."""
    facts = "; ".join(f"{name} {value}" for name, value in environment.items() if value is not None)
    text = PAGE.substitute(
        title=escape(title), summary=escape(summary), table=_table(comparison.table), verdicts=_verdicts(comparison),
        plot=plot(comparison), remarks=_items(comparison.remarks()), command=escape(command), environment=escape(facts),
    )  # fmt: skip
    path = folder / "comparison.html"
    path.write_text(text, encoding="utf-8")
    return path


def _table(rows: Sequence[Row]) -> str:
    titles, *lines = rows
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = []
    for place, (first, *cells) in enumerate(lines):
        shade = UNIFORM if place == len(lines) - 1 else colour(place)
        mark = f'<span class="swatch" style="background:{shade}"></span>'
        body.append(f"<tr><td>{mark}{escape(first)}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _verdicts(comparison: Comparison) -> str:
    contest, labels = comparison.contest, [one.label for one in comparison.standings]
    how = "Wilcoxon's signed-rank test over the same seeds, at 5 % after Holm's correction for all pairs"
    selected = "the reward" if contest.bounded else named(contest.goal.first)
    parts = [f"<p>By {selected}, at the end of the budget ({how}):</p>{_items(verdicts(labels, comparison.pairs))}"]
    if contest.report is not None:
        parts.append(f"<p>By {named(contest.report)}:</p>{_items(verdicts(labels, comparison.reported_pairs))}")
    return "".join(parts) if len(labels) > 1 else "<p>One strategy alone is compared with uniform draws only.</p>"


def _items(sentences: Sequence[str]) -> str:
    inner = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{inner}</ul>"
