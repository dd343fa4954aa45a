"""The documentation as a site: `make docs`, without a network; a warning is an error there."""

import re
from typing import Any

from nasengine.console.version import version as installed

project = "nasengine"
author = "the authors of nasengine"
release = version = installed()
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 3
# examples may be shortened with …, which no lexer takes
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "nasengine"
html_copy_source = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}

default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
add_module_names = False

MARKUP = re.compile(r"(`[^`]*`)|([*|]|(?<=\w)_\b)")


def as_prose(app: Any, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are prose with `code` in it: a star or a bar in them marks nothing up."""
    lines[:] = [MARKUP.sub(lambda found: found[1] or f"\\{found[2]}", line) for line in lines]


def on_the_site(app: Any, name: str, source: list[str]) -> None:
    """Links that leave docs/ lead to the pages that stand for those files here."""
    source[0] = re.sub(r"\]\((?:\.\./)+results/log\.md", f"]({'../' * name.count('/')}measured.md", source[0])


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", as_prose)
    app.connect("source-read", on_the_site)
