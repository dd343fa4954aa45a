"""An architecture as the sequence of tokens that a controller speaks: one token for each option kept.

A decision that is not asked has no token. Of a decision that keeps several options, the options come in their declared
order: after one, only later ones may follow, and a stop token ends an answer that may be longer. So each answer has
exactly one spelling, and the chance of the spelling is the chance of the set. Each token weighs as much as the number
of answers that it leaves open; at equal scores every answer of a decision is thereby equally likely.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, log

from nasengine.space import Architecture, Decision, Space

START = 0  # the token before the first one
STOP = ""  # no option has this name


@dataclass(frozen=True)
class Step:
    """One draw: the options that may come now, their tokens, and the logarithm of the answers that each leaves open."""

    decision: str
    options: tuple[str, ...]
    tokens: tuple[int, ...]
    ways: tuple[float, ...]


Draw = Callable[[Step], int]  # gives the position of the option drawn
Spelling = Sequence[tuple[Step, int]]


class Tokens:
    """The tokens of a space: a number for every option of every decision, and for every stop."""

    def __init__(self, space: Space):
        self.space = space
        self.numbers: dict[tuple[str, str], int] = {}
        for name, decision in space.decisions.items():
            for option in (*decision.options, STOP):
                self.numbers[name, option] = len(self.numbers) + 1
        self.count = len(self.numbers) + 1
        self.step = cache(self._step)

    def _step(self, name: str, first: int, kept: int) -> Step:
        """The draw after `kept` options, where the options before number `first` are out."""
        decision = self.space.decisions[name]
        ways = {option: _ways(decision, number, kept) for number, option in enumerate(decision.options[first:], first)}
        ways[STOP] = int(kept >= decision.keep[0])
        options = tuple(option for option, count in ways.items() if count)
        tokens = tuple(self.numbers[name, option] for option in options)
        return Step(name, options, tokens, tuple(log(ways[option]) for option in options))

    def speak(self, draw: Draw) -> Architecture:
        """The architecture whose tokens `draw` gives, one after the other; it is not asked where only one may come."""
        picks: dict[str, tuple[str, ...]] = {}
        for name, decision in self.space.decisions.items():
            if decision.active(picks):
                picks[name] = self._answer(decision, draw)
        return Architecture(picks)

    def _answer(self, decision: Decision, draw: Draw) -> tuple[str, ...]:
        kept: list[str] = []
        first = 0
        while len(kept) < decision.keep[1]:
            step = self.step(decision.name, first, len(kept))
            option = step.options[draw(step) if len(step.options) > 1 else 0]
            if option == STOP:
                break
            kept.append(option)
            first = decision.options.index(option) + 1
        return tuple(kept)

    def spell(self, architecture: Architecture) -> Spelling:
        """The draws that give an architecture."""
        spelling: list[tuple[Step, int]] = []

        def repeat(step: Step) -> int:
            kept = architecture.picks[step.decision]
            position = next((i for i, option in enumerate(step.options) if option in kept), len(step.options) - 1)
            spelling.append((step, position))
            return position

        self.speak(repeat)
        return spelling


def _ways(decision: Decision, number: int, kept: int) -> int:
    """How many answers go on with option `number` after `kept` options before it."""
    least, most = decision.keep
    later = len(decision.options) - number - 1
    return sum(comb(later, more) for more in range(max(least - kept - 1, 0), most - kept))
