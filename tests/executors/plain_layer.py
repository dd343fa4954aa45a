"""A layer that is never built."""


class Plain:
    """It stands in a space, so that there is one without torch."""

    kind = "conv"
