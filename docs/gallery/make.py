"""Makes the pictures of the documentation: those of language.md, and the gallery.

    python -m docs.gallery.make [words] [networks] [curves] [pages]

Without a name all of them, in a few minutes. `pages` needs Chromium (Debian: apt install chromium) and Playwright.
"""

import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.cli import main as nasengine
from nasengine.interpreters.picture import draw

HERE = Path(__file__).parent
DRAWN = re.compile(r"```python\n(.*?)```(?:\s*!\[[^]]*\]\(gallery/([\w-]+\.svg)\))?", re.DOTALL)
NETWORKS = {
    "darts.svg": ("darts", "DARTS_V2"),
    "pr-darts.svg": ("darts", "PRDARTS"),
    "nasnet.svg": ("nasnet", "NASNet_A"),
    "caformer.svg": ("metaformer", "caformer-s18"),
    "mobilenet.svg": ("mobile", "MobileNetV3-Large"),
    "emo.svg": ("emo", "EMO-1M"),
}
SMALL = ["--space", "small-cell", "--limit", "600", "--recipe.epochs", "3"]


def words() -> None:
    """One network for each block of language.md that has a picture under it: the last of few, or one of many."""
    names: dict[str, Any] = {}
    for code, file in DRAWN.findall((HERE.parent / "language.md").read_text()):
        exec(code, names)
        if file:
            space = names["space"]
            *_, last = space.enumerate()
            draw(space, last if space.count() < 100 else space.sample(random.Random(1)), HERE / file)


def networks() -> None:
    """Published networks, cell by cell or stage by stage."""
    for file, (name, network) in NETWORKS.items():
        published = plugins.published(name, network)
        space = plugins.load_space(name, dict(published.settings))
        draw(space, space.check(published.picks), HERE / file)


def curves() -> None:
    """A comparison on the table that comes along, and a front."""
    with elsewhere():
        contest = ["--strategies", "random-search,local-search,evolution,gbdt", "--table", "digits", "--budget", "60"]
        run("bench", *contest, "--seeds", "30", "--to", ".")
        (HERE / "bench.svg").write_bytes(Path("comparison.svg").read_bytes())
        goals = ["--objective", "accuracy", "--objective", "min:params"]
        run("search", *SMALL, "--strategy", "nsga2", *goals, "--trials", "40", "--epochs", "3", "--name", "front")
        run("pareto", "front", "--draw", str(HERE / "pareto.svg"))


def pages() -> None:
    """Reports and the dashboard, in a browser."""
    from docs.gallery.screenshots import take

    with elsewhere():
        take(run)


@contextmanager
def elsewhere() -> Iterator[None]:
    """A folder that is thrown away, so that results of yours are left alone."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        yield


def run(*typed: str) -> None:
    code = nasengine(typed)
    assert code == 0, f"nasengine {' '.join(typed)} ended with {code}"


PARTS = {"words": words, "networks": networks, "curves": curves, "pages": pages}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
