"""Plain: a space of a user's own, with its layer in the file beside it; it loads no torch."""

from nasengine.space import Space, chain, choose, op

from .plain_layer import Plain


def space(input: tuple[int, int, int] = (1, 8, 8), classes: int = 10) -> Space:
    """Sizes and depths of nothing."""
    first, second = (op(Plain, size=choose(f"size{place}", *range(1, 9))) for place in (1, 2))
    return Space("plain", input=input, network=chain(first=first, second=second))
