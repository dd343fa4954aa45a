"""The colours of pictures: fixed ones for paper, and a style by which a page's ink and paper decide instead."""

HUES = {
    "conv": "#2f7fc1", "attention": "#8a5cd1", "mlp": "#2f9e54", "pool": "#d9820f", "skip": "#8b949e",
    "zero": "#d0504a", "norm": "#b59400", "head": "#1b9aaa", "shared": "#4c6ef5", "other": "#7d8590",
}  # fmt: skip
"""By kind of layer; of a cell as a whole, too."""

INK, QUIET, PAPER = "#1f2328", "#6e7781", "#ffffff"
FILLED, LINED = 0.22, 0.75  # how much of its hue an area and a line have
CLASS = "nasengine-picture"


def fill(kind: str) -> str:
    """The area of a box."""
    return _mixed(_hue(kind), FILLED)


def line(kind: str) -> str:
    """The border of a box."""
    return _mixed(_hue(kind), LINED)


def style() -> str:
    """CSS that replaces every colour of a picture by a mixture of its hue with the page's paper.

    A page sets --ink and --paper; without them the reader's preference decides between a light and a dark pair.
    """
    rules = [
        f".{CLASS}{{--nas-ink:var(--ink,{INK});--nas-paper:var(--paper,{PAPER});max-width:100%;height:auto}}",
        f"@media(prefers-color-scheme:dark){{.{CLASS}{{--nas-ink:var(--ink,#e6edf3);--nas-paper:var(--paper,#0d1117)}}}}",
        *_rules(INK, "var(--nas-ink)"),
        *_rules(QUIET, "color-mix(in srgb,var(--nas-ink) 62%,var(--nas-paper))"),
    ]
    for hue in dict.fromkeys(HUES.values()):
        for share in (FILLED, LINED):
            rules += _rules(_mixed(hue, share), f"color-mix(in srgb,{hue} {share + 0.1:.0%},var(--nas-paper))")
    return "".join(rules)


def _rules(colour: str, becomes: str) -> list[str]:
    return [f'.{CLASS} [{what}="{colour}"]{{{what}:{becomes}}}' for what in ("fill", "stroke")]


def _hue(kind: str) -> str:
    return HUES.get(kind, HUES["other"])


def _mixed(hue: str, share: float) -> str:
    """So much of the hue, the rest white."""
    parts = (int(hue[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in parts)
