"""Colours and dashes of strategies in plots: told apart also by the colour-blind (Okabe and Ito, 2008)."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#222222")
DASHES = ("solid", "dash", "dot", "dashdot")
UNIFORM = "#888888"


def colour(place: int) -> str:
    """The colour of the strategy at this place."""
    return COLOURS[place % len(COLOURS)]


def dash(place: int) -> str:
    """Its dashes: solid until all colours are taken."""
    return DASHES[place // len(COLOURS) % len(DASHES)]
