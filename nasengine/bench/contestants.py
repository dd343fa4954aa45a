"""Who takes part in a comparison: `evolution,evolution(population=50),./mine.py` read, checked and built."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.search.strategy import Strategy
from nasengine.space import Space

_FORM = re.compile(r"([^()=]+?)\s*(?:\((.*)\))?", re.DOTALL)
_CLOSES = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Contestant:
    """One strategy with its options, still as words; `str()` of it is its name in tables and plots."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        inner = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}({inner})" if inner else self.name

    def make(self, space: Space) -> Strategy:
        """A fresh strategy for a space."""
        made: Strategy = plugins.load_strategy(self.name, space, self.options)
        return made

    @property
    def file(self) -> Path:
        """The file that defines it."""
        return plugins.find("strategy", self.name)

    @property
    def source(self) -> str:
        """A fingerprint of that file."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()[:16]


def parse(text: str) -> list[Contestant]:
    """Read names with commas between; options stand in parentheses behind a name: `evolution(population=50,sample=5)`.

    Commas inside parentheses, brackets and quotes belong to the option that they stand in. Raises NasError with every
    fault.
    """
    faults: list[str] = []
    found = [_one(part, faults) for part in _split(text, faults) if part.strip()]
    labels = [str(one) for one in found]
    faults += [f"{label} came twice; give it once" for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if not found and not faults:
        faults = ["no name came"]
    if faults:
        raise NasError(
            f"strategies {text!r}: {'; '.join(faults)}; write names with commas between, options in parentheses: "
            "random-search,evolution(population=50),./mine.py"
        )
    return found


def check(contestants: Sequence[Contestant], space: Space) -> None:
    """Build each once; raises NasError with what is wrong with any of them."""
    faults: list[str] = []
    for one in contestants:
        try:
            _check(one, space)
        except NasError as error:
            faults.append(str(error))
    if faults:
        raise NasError("\n".join(faults))


def _check(contestant: Contestant, space: Space) -> None:
    made: Any = plugins.strategy_class(contestant.name)
    if not hasattr(made, "ask"):
        raise NasError(
            f"strategy {contestant.name}: it learns gates inside a supernet that is trained, which no table can "
            "answer; compare strategies that propose architectures (they have ask and tell)"
        )
    contestant.make(space)


def _one(part: str, faults: list[str]) -> Contestant:
    match = _FORM.fullmatch(part.strip())
    if match is None:
        faults.append(f"{part.strip()!r} is not NAME or NAME(OPTION=VALUE,…)")
        return Contestant(part.strip())
    options: dict[str, str] = {}
    for word in _split(match[2] or "", faults):
        key, equals, value = (piece.strip() for piece in word.partition("="))
        if not word.strip():
            continue
        if not equals or not key or not value:
            faults.append(f"{word.strip()!r} of {match[1]} is not OPTION=VALUE")
        elif key.replace("-", "_") in options:
            faults.append(f"option {key} of {match[1]} came twice")
        options[key.replace("-", "_")] = value.strip("\"'")
    return Contestant(match[1], options)


def _split(text: str, faults: list[str]) -> Iterator[str]:
    """The parts between commas that stand outside of brackets and quotes."""
    opened: list[str] = []
    quote, begin = "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _CLOSES.values():
            opened.append(letter)
        elif letter in _CLOSES:
            if not opened or opened.pop() != _CLOSES[letter]:
                faults.append(f"{letter!r} closes nothing")
        elif letter == "," and not opened:
            yield text[begin:place]
            begin = place + 1
    if opened or quote:
        faults.append(f"{opened[-1] if opened else quote!r} is never closed")
    yield text[begin:]
