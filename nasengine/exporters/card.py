"""The card of an exported network: a README.md that says what it is, where it comes from, and how to load it."""

from collections.abc import Mapping, Sequence
from typing import Any

from nasengine.exporters.facts import LICENCE

LINEAGE = ("search", "trial", "kind", "strategy", "seed", "seconds", "lineage")


def card(facts: Mapping[str, Any], picture: str | None, lines: str, how: Mapping[str, str]) -> str:
    """Markdown from what architecture.json holds; what is not known is left out.

    `picture` is the drawing's file, `lines` the drawing as text, `how` says how each format is loaded.
    """
    shape, batch = ", ".join(map(str, facts["input"])), facts.get("batch", "dynamic")
    example = {"shape": shape, "batch": 1 if batch == "dynamic" else batch}
    parts = [
        f"# {facts['space']}: a network found by nasengine\n",
        _figures(facts),
        _section("Drawing", f"![The network]({picture})\n" if picture else f"```\n{lines.rstrip()}\n```\n"),
        _section("Formats", _formats(facts)),
        *(_section(f"Load {name}", text.format(**example), 3) for name, text in how.items()),
        _section("What goes in, what comes out", _treatment(facts)),
        _section("Data", _data(facts)),
        _section("Architecture", _table(facts["architecture"], "decision", "kept")),
        _section("Space settings", _table(facts["settings"], "setting", "value")),
        _section("Two scales", _scales(facts)),
        _section("Recipe", _table(facts.get("recipe") or {}, "setting", "value")),
        _section("Where it comes from", _origin(facts)),
        _section(
            "Licence",
            f"{LICENCE}\n\nThe weights are yours; what the images that they learned from allow holds for them too.\n",
        ),
    ]
    return "\n".join(part for part in parts if part)


def _figures(facts: Mapping[str, Any]) -> str:
    spread = facts.get("over_seeds") or {}
    rows = {
        "parameters": f"{facts['params']:,}",
        "multiply-adds per image": f"{facts['macs']:,}",
        "input (channels, height, width)": facts["input"],
        "output": facts["output"],
        **{name.replace("_", " "): _number(value) for name, value in (facts.get("values") or {}).items()},
        **{f"{name.replace('_', ' ')} over seeds": _spread(one) for name, one in spread.items()},
        "digest": facts.get("digest"),
        "made with": f"nasengine {facts['versions']['nasengine']}, torch {facts['versions']['torch']}",
    }
    return _table({name: value for name, value in rows.items() if value is not None}, "", "")


def _spread(one: Mapping[str, Any]) -> str:
    return f"{one['mean']:.4f} ± {one['deviation']:.4f}, {one['seeds']} trainings of this network"


def _formats(facts: Mapping[str, Any]) -> str:
    """What was measured of every format after it was loaded again."""
    measured = facts.get("held_out")
    head = ["format", "files", "bytes", "largest difference", "allowed"]
    rows = [
        [name, ", ".join(one["files"]), f"{one['bytes']:,}", f"{one['difference']:.1e}", f"{one['tolerance']:.0e}"]
        for name, one in facts["formats"].items()
    ]
    batches = ", ".join(map(str, next(iter(facts["formats"].values()))["differences"]))
    words = f"Each was loaded again and compared at batch {batches}; differences are relative to the largest output."
    if measured:
        head.append(measured["value"].replace("_", " "))
        for row, one in zip(rows, facts["formats"].values(), strict=True):
            row.append(f"{one['held_out']:.4f}")
        words += f" {measured_words(facts)}"
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return f"{words}\n\n" + "\n".join(lines) + "\n"


def measured_words(facts: Mapping[str, Any]) -> str:
    """On which images the value was measured, and what the network had before it was written."""
    measured, trained = facts["held_out"], facts.get("trained_at")
    count = f"{measured['images']:,}" + ("" if measured["images"] == measured["of"] else f" of {measured['of']:,}")
    resized = f", resized to {measured['resized_to']} pixels a side" if measured.get("resized_to") else ""
    words = f"On {count} {measured['part']} images of {measured['data']}{resized}, the network itself has "
    words += f"{measured['value'].replace('_', ' ')} {measured['network']:.4f}."
    if trained:
        size = " by ".join(map(str, trained["input"][1:]))
        words += f" At {size} pixels, for which it was trained, it has {trained[measured['value']]:.4f}."
    return words


def _treatment(facts: Mapping[str, Any]) -> str:
    known = facts.get("preprocessing")
    if not known:
        return ""
    text = (
        f"Images are float32, (batch, {', '.join(map(str, facts['input']))}). Divide bytes by "
        f"{known['bytes_divided_by']}, then normalise each channel as in training:\n\n```python\n"
        f"mean = torch.tensor({_rounded(known['mean'])}).view(1, -1, 1, 1)\n"
        f"std = torch.tensor({_rounded(known['std'])}).view(1, -1, 1, 1)\nimages = (pixels - mean) / std\n```\n"
    )
    if known.get("target_mean"):
        text += (
            "\nOutputs are standardised; in the units of the data they are "
            f"`outputs * {_rounded(known['target_std'])} + {_rounded(known['target_mean'])}`.\n"
        )
    if facts.get("class_names"):
        text += f"\nOutputs in order: {', '.join(facts['class_names'])}.\n"
    return text


def _rounded(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.7g}") for value in values]


def _scales(facts: Mapping[str, Any]) -> str:
    """What differs between the network that was searched and the one that was trained anew for this folder."""
    before = facts.get("searched_at")
    if not before:
        return ""
    names = [n for n in facts["settings"] if facts["settings"][n] != before["settings"].get(n)]
    rows = [[n, _cell(before["settings"].get(n)), _cell(facts["settings"][n])] for n in names]
    rows += [[n, f"{before[n] or 0:,}", f"{facts[n]:,}"] for n in ("params", "macs")]
    now = facts.get("values") or {}
    both = [n for n in {**before["values"], **now} if n.startswith(("validation_", "test_"))]
    rows += [[n.replace("_", " "), *(_number(one.get(n, "")) for one in (before["values"], now))] for n in both]
    head = ["", f"searched at ({before['search']}:{before['trial']})", "trained anew at"]
    return "\n".join(map(_line, [head, ["---"] * 3, *rows])) + "\n"


def _origin(facts: Mapping[str, Any]) -> str:
    known = {name: facts[name] for name in LINEAGE if facts.get(name) not in (None, {})}
    if "seconds" in known:
        known["seconds"] = f"{known['seconds']:.1f}"
    if "lineage" in known:
        known["lineage"] = {name: one for name, one in known["lineage"].items() if name != "settings"}
    return _table({name: one for name, one in known.items() if one != {}}, "", "")


def _data(facts: Mapping[str, Any]) -> str:
    data = facts.get("data")
    return _table(data, "", "") if isinstance(data, Mapping) else f"{data}\n" if data else ""


def _section(title: str, text: str, level: int = 2) -> str:
    return f"{'#' * level} {title}\n\n{text}" if text else ""


def _table(rows: Mapping[str, Any], left: str, right: str) -> str:
    if not rows:
        return ""
    lines = [_line([left, right]), _line(["---", "---"])]
    return "\n".join(lines + [_line([name, _cell(value)]) for name, value in rows.items()]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items())
    return str(value).replace("|", "\\|").replace("\n", " ")


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
