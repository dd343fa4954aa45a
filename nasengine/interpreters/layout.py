"""Generated Python as the usual formatters lay it out."""

import re
from collections.abc import Iterable, Sequence

LINE = 120


def layout(opening: str, parts: Sequence[str], closing: str, glue: str = ", ", indent: int = 8) -> str:
    """One statement, on one line or in brackets over several."""
    pad, inner = " " * indent, " " * (indent + 4)
    together = glue.join(parts)
    if "\n" not in together and indent + len(opening + together + closing) <= LINE:
        return f"{opening}{together}{closing}"
    if glue != ", ":  # a sum, in parentheses: on one line if it fits there, else a term to a line
        terms = together if len(inner + together) <= LINE else f"\n{inner}{glue.lstrip()}".join(parts)
        return f"{opening}(\n{inner}{terms}\n{pad})"
    if "\n" not in together and len(inner + together) <= LINE:
        return f"{opening}\n{inner}{together}\n{pad}{closing}"
    return f"{opening}\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{pad}{closing}"


def sections(statements: Iterable[str]) -> str:
    """Statements with two empty lines around classes and functions, and one before a block of constants."""
    text, before = "", None
    for statement in statements:
        block = re.search(r"^(@|class |def )", statement, re.MULTILINE) is not None
        text += ("\n\n" if block or before else "\n" if before is None else "") + statement
        before = block
    return text


def docstring(text: str) -> str:
    """A module's docstring with an empty line after it; nothing for an empty text."""
    plain = text.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    end = "\n" if "\n" in plain or plain.endswith('"') else ""
    return f'"""{plain}{end}"""\n\n' if plain else ""
