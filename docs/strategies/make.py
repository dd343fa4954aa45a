"""Writes the pages of the strategies from their docstrings, their signatures and notes.toml.

python -m docs.strategies.make
"""

import ast
import re
import tomllib
from pathlib import Path

from nasengine import plugins
from nasengine.console.listings import as_json

HERE = Path(__file__).parent
KINDS = {
    "proposes": (
        "Those that propose",
        "Each candidate is trained, scored or measured with a supernet's weights, and the strategy hears how it did. "
        "Any space, any executor, any number of workers.",
    ),
    "gates": (
        "Those that learn gates",
        "A supernet holds all options at once; gates say how much of each runs, and learn beside the weights. "
        "At the end the strategy settles on one network, which is trained anew.",
    ),
    "samples": (
        "Those that train a supernet for others",
        "They choose nothing: a second search takes candidates' weights from the supernet "
        "([weight sharing](../weight-sharing.md)).",
    ),
}
WRITTEN = "<!-- written by `python -m docs.strategies.make`: change strategies/*.py or notes.toml instead -->\n"


def written() -> dict[str, str]:
    """Every page by its file name."""
    notes = tomllib.loads((HERE / "notes.toml").read_text())
    texts = dict(plugins.listing("strategy"))
    pages = {f"{name}.md": page(name, notes[name]) for name in texts}
    return pages | {"index.md": index(notes, texts)}


def page(name: str, note: dict[str, str]) -> str:
    first, _, rest = (ast.get_docstring(ast.parse(plugins.find("strategy", name).read_text())) or "").partition("\n")
    # an address that a line of prose ends with is a link of its own
    prose = re.sub(r"(?<![<\w])(https?://[^\s),;]*[^\s),;.])", r"<\1>", rest.strip())
    facts = f"| paper | {note['paper']} |\n| needs | {note['needs']} |\n| costs | {note['costs']} |"
    parts = [
        f"# {name}",
        WRITTEN + first,
        f"| | |\n| --- | --- |\n{facts}",
        prose,
        f"```console\n$ {note['command']}\n```",
        "## Options",
        options(name),
        "## Measured",
        note["measured"].strip(),
        "Machine, commands and seeds: [measured results](../../results/log.md).",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def options(name: str) -> str:
    settings = [as_json(setting) for setting in plugins.signature("strategy", name)]
    if not settings:
        return "None."
    rows = [(f"`--strategy.{one['name']}`", one["type"], default(one), one["text"]) for one in settings]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(["| flag | type | default | meaning |", "| --- | --- | --- | --- |", *lines])


def default(setting: dict[str, object]) -> str:
    value = setting["default"]
    if setting["required"]:
        return "(must be given)"
    return str(value).lower() if isinstance(value, bool) or value is None else f"`{value}`" if value != "" else ""


def index(notes: dict[str, dict[str, str]], texts: dict[str, str]) -> str:
    parts = [
        "# The strategies",
        f"{WRITTEN}Each is one file in `strategies/`, and so is [yours](../strategies.md). `nasengine strategies NAME` "
        "lists the options that stand on these pages. What a strategy is worth on your task says no page: "
        "[compare](../compare.md) it with random search at equal budget.",
    ]
    for kind, (title, text) in KINDS.items():
        names = [name for name in notes if notes[name]["kind"] == kind]
        rows = [f"| [{name}]({name}.md) | {notes[name]['needs']} | {notes[name]['costs']} |" for name in names]
        parts += [f"## {title}", text, "\n".join(["| strategy | needs | costs |", "| --- | --- | --- |", *rows])]
    return "\n\n".join([*parts, "```{toctree}\n:hidden:\n\n" + "\n".join(notes) + "\n```"]) + "\n"


if __name__ == "__main__":
    for file, text in written().items():
        (HERE / file).write_text(text)
