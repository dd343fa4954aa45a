"""Stages as tables in dot's language: a row for each of a network's stages, or all of them in one strip."""

import html
from collections.abc import Iterable, Sequence

from nasengine.interpreters.met import Words
from nasengine.interpreters.paint import QUIET, fill, line
from nasengine.interpreters.stages import Block, Stage
from nasengine.space import Space

BESIDE = 18  # letters of a layer and settings in one line
LETTERS = 110  # beside each other in the widest line
EMPTY = "<TD></TD>"
ARROW = f'<TD><FONT COLOR="{QUIET}">→</FONT></TD>'


def table(space: Space, stages: Sequence[Stage]) -> str:
    """Each stage with its name, resolution, width and size, and its blocks beside it in columns."""
    across = _across(stages)
    most = min(max(len(one.blocks) for one in stages), across)
    rows = [f"<TR>{_name('input', [_input(space)])}{EMPTY * most}</TR>"]
    for one in stages:
        lines = [one.blocks[i : i + across] for i in range(0, len(one.blocks), across)]
        boxes = ["".join(map(_block, line)) + EMPTY * (most - len(line)) for line in lines]
        first = _name(one.name, _facts(one), len(lines))
        rows.append(f"<TR>{first}{'</TR><TR>'.join(boxes)}</TR>")
    return _table("<HR/>".join(rows), spacing=4)


def _across(stages: Sequence[Stage]) -> int:
    """How many blocks stand beside each other; what is more goes on below."""
    parts = [part for one in stages for block in one.blocks for part in block.parts]
    lines = [line for part in parts for line in " \n".join(map(_line, part.lines)).split("\n")]
    return max(LETTERS // max(map(len, lines), default=1), 1)


def _line(words: Words) -> str:
    """A layer and its settings, which stand below it where they are long."""
    name, settings = words
    return f"{name}\n{settings}" if len(name) + len(settings) > BESIDE else f"{name} {settings}".strip()


def strip(space: Space, stages: Sequence[Stage]) -> str:
    """All stages in one row: what stands there how often, its resolution and width."""
    boxes = [_box([("input", "")], _input(space), "")]
    for one in stages:
        for block in one.blocks:
            part = block.parts[0]
            name = part.lines[0][0] if part.kind == "shared" else one.name
            times = f" ×{block.times}" if block.times > 1 else ""
            boxes.append(_box([(f"{name}{times}", "")], one.shape_words, part.kind))
    return _table(f"<TR>{ARROW.join(boxes)}</TR>", spacing=2)


def _input(space: Space) -> str:
    return Stage("input", space.input, (), 0).shape_words


def _facts(stage: Stage) -> list[str]:
    return [stage.shape_words, f"{count(stage.params)} parameters", *stage.norms]


def count(number: int) -> str:
    """Three digits, in thousands or millions where there are more."""
    for size, word in ((10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return str(number)


def _name(name: str, facts: Iterable[str], lines: int = 1) -> str:
    words = "<BR/>".join([f"<B>{html.escape(name)}</B>", *map(_quiet, facts)])
    return f'<TD ALIGN="LEFT" VALIGN="TOP" BALIGN="LEFT" CELLPADDING="5" ROWSPAN="{lines}">{words}</TD>'


def _block(block: Block) -> str:
    boxes = _table("".join(f"<TR>{_box(part.lines, '', part.kind)}</TR>" for part in block.parts), spacing=2)
    times = f"<TD><B>×{block.times}</B></TD>" if block.times > 1 else ""
    return f"<TD>{_table(f'<TR><TD>{boxes}</TD>{times}</TR>')}</TD>"


def _box(lines: Sequence[Words], below: str, kind: str) -> str:
    looks = f'BGCOLOR="{fill(kind)}" COLOR="{line(kind)}" STYLE="ROUNDED" BORDER="1" CELLPADDING="3"' if kind else ""
    words = [_formatted(*one) for one in lines] + ([_quiet(below)] if below else [])
    return f"<TD {looks}>{'<BR/>'.join(words)}</TD>"


def _formatted(name: str, settings: str) -> str:
    between = "<BR/>" if "\n" in _line((name, settings)) else " "
    return f"{html.escape(name)}{between}{_quiet(settings)}" if settings else html.escape(name)


def _quiet(words: str) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="{QUIET}">{html.escape(words)}</FONT>'


def _table(rows: str, spacing: int = 0) -> str:
    looks = f'BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="{spacing}" COLOR="{fill("skip")}"'
    return f"<TABLE {looks}>{rows}</TABLE>"
