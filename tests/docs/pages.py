"""The pages of the documentation as blocks of code, with the markers that say which are not run."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELLS = {"", "console", "bash", "sh"}
FENCE = re.compile(r"(`{3,})\s*([\w{}-]*)")
OWN = re.compile(r"(?:\w+=\S* |srun |time )*(?:\S*/)?nasengine(?: |$)")
MARKER = re.compile(r"<!-- (not run|slow|file)(?:: *(.*?))? *-->")


@dataclass(frozen=True)
class Block:
    """A fenced block; `mark` is "not run" or "slow", with a reason, or "file", with the name that it is saved under."""

    page: Path
    line: int  # of the first line inside
    language: str
    text: str
    mark: str = ""
    reason: str = ""

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list["Command"]:
        """The `nasengine` lines of a block of a shell; with prompts in it, those behind a prompt."""
        if self.language not in SHELLS:
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        prompted = any(line.startswith("$ ") for line in lines)
        found = []
        for number, line in enumerate(lines):
            if prompted and not line.startswith("$ "):
                continue
            words = own_words(line.removeprefix("$ "))
            if words is not None:
                answer = lines[number + 1] if number + 1 < len(lines) else ""
                found.append(Command(self, words, refused=answer.startswith("nasengine: ")))
        return found


@dataclass(frozen=True)
class Command:
    """The words after `nasengine`; `refused` where the page shows the message of an error under it."""

    block: Block
    words: tuple[str, ...]
    refused: bool

    def __str__(self) -> str:
        return f"{self.block.where}: nasengine {shlex.join(self.words)}"


def own_words(line: str) -> tuple[str, ...] | None:
    """What follows `nasengine` in a line of a shell, up to a pipe; None for other programs. A lone … is left out."""
    begins = OWN.match(line)
    if begins is None:
        return None
    lexer = shlex.shlex(line[begins.end() :], posix=True, punctuation_chars="|;&>")
    lexer.whitespace_split = True
    words = list(lexer)
    ends = [place for place, word in enumerate(words) if set(word) <= set("|;&>")]
    return tuple(word for word in words[: min(ends, default=len(words))] if word != "…")


def pages() -> list[Path]:
    """README.md and every page of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    lines = page.read_text().splitlines()
    fence, begun, mark = None, 0, ("", "")
    for number, line in enumerate(lines):
        if fence is None:
            if begins := FENCE.match(line.strip()):
                fence, begun = begins, number + 1
            elif line.strip():
                marked = MARKER.fullmatch(line.strip())
                mark = (marked[1], marked[2] or "") if marked else ("", "")
        elif line.strip() == fence[1]:
            found.append(Block(page, begun + 1, fence[2], "\n".join(lines[begun:number]) + "\n", *mark))
            fence, mark = None, ("", "")
    assert fence is None, f"{page}: a block begins in line {begun} and does not end"
    return found
