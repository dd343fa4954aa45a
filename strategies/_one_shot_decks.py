"""Options dealt like cards: a decision deals each of them once before any comes again."""

import random

from nasengine.space import Architecture, Space
from nasengine.space.decisions import Decision


class Decks:
    """One deck of options for each decision; what is left of it waits for the next network that asks."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.left: dict[str, list[str]] = {name: [] for name in space.decisions}

    def deal(self, rng: random.Random) -> Architecture:
        """The next network; where its picks break the space's condition, some of them are drawn anew."""
        picks: dict[str, tuple[str, ...]] = {}
        for name, decision in self.space.decisions.items():
            if decision.active(picks):
                picks[name] = self._hand(decision, rng)
        return self.space.follow(picks, rng)

    def _hand(self, decision: Decision, rng: random.Random) -> tuple[str, ...]:
        """As many cards as a random pick would hold, no two alike."""
        hand: list[str] = []
        deck = self.left[decision.name]
        least, most = decision.keep
        for _ in range(least if least == most else len(decision.draw(rng))):
            if all(card in hand for card in deck):
                deck += rng.sample(decision.options, len(decision.options))
            card = next(card for card in deck if card not in hand)
            deck.remove(card)
            hand.append(card)
        return tuple(option for option in decision.options if option in hand)
