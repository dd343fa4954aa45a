"""The command line: `nasengine COMMAND …`. Each command loads what it needs, and nothing else."""

import os
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from cyclopts import App, Parameter

from nasengine.console import commands, exits
from nasengine.console.bench_flags import BenchFlags
from nasengine.console.flags import (
    DB,
    PICK,
    Db,
    Dotted,
    Json,
    Line,
    SearchFlags,
    SpaceName,
)
from nasengine.console.output import hear_the_engine
from nasengine.console.version import version
from nasengine.console.words import arguments, data_words, split

app = App(
    name="nasengine",
    version=version,
    help="Describe a space of networks, search it, train the find, and take it away as plain PyTorch.",
    help_epilogue=exits.HELP,
    help_format="plaintext",
    version_flags=["--version"],
    default_parameter=Parameter(negative=""),
    suppress_keyboard_interrupt=False,
)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code (0, 1, 2 or 130: see `nasengine --help`)."""
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words or os.environ.get("NASENGINE_DEBUG", "0") not in ("", "0")
    return exits.guarded(partial(_run, [word for word in words if word != "--debug"]), debug)


def _run(words: list[str]) -> int | None:
    hear_the_engine()
    plain, groups = split(words)
    if "data" in groups:
        plain = data_words(plain, groups.pop("data"))
    command, bound, unparsed = app.parse_args(plain, print_error=False, exit_on_error=False, verbose=False)
    more: dict[str, Any] = arguments(plain[0] if plain else "nasengine", groups, list(unparsed))
    if "line" in unparsed:
        more["line"] = shlex.join(["nasengine", *words])
    answer = command(*bound.args, **bound.kwargs, **more)
    return answer if isinstance(answer, int) else None


@app.command
def search(
    flags: SearchFlags | None = None,
    *,
    db: Db = DB,
    dry_run: Annotated[bool, Parameter(help="Show the space, the plan, its memory and time; begin nothing.")] = False,
    space_settings: Dotted = None,
    strategy_options: Dotted = None,
    recipe_values: Dotted = None,
    supernet_values: Dotted = None,
    fidelity: Dotted = None,
    proxy_options: Dotted = None,
    line: Line = "",
) -> int:
    """Search a space, train the network that is found, and record everything.

    Settings have dotted flags: --space.channels 8 (see `nasengine describe --space NAME`), --strategy.order 2
    (`nasengine strategies NAME`), --recipe.epochs 60 for the training of networks, --supernet.lr 0.02 for a
    supernet's, --fidelity.share 0.5 (of the images), .epochs or .resolution for cheaper candidates, --proxy.batch 32
    for a score without training. The same command with the same --name goes on where it was stopped; Ctrl-C once
    finishes what runs, twice stops now.
    """
    from nasengine.console.searching import search as run

    dotted = {
        "space_settings": space_settings,
        "strategy_options": strategy_options,
        "recipe_values": recipe_values,
        "supernet_values": supernet_values,
        "fidelity": fidelity,
        "proxy_options": proxy_options,
    }
    return run({**vars(flags or SearchFlags()), **dotted}, db=db, dry_run=dry_run, line=line)


@app.command
def spaces(*, json: Json = False) -> None:
    """List the search spaces."""
    from nasengine.console.listings import plug_ins

    plug_ins("space", json)


@app.command
def strategies(
    name: Annotated[str | None, Parameter(help="Show this strategy's options.")] = None, /, *, json: Json = False
) -> None:
    """List the strategies, or one with its options."""
    from nasengine.console.listings import plug_ins, settings

    if name is None:
        plug_ins("strategy", json)
    else:
        settings("strategy", name, json)


@app.command
def describe(
    *,
    space: SpaceName = "darts",
    strategy: Annotated[str | None, Parameter(help="Describe this strategy instead.")] = None,
    check: Annotated[bool, Parameter(help="Check everything that a space has to hold to; exit code 1 if not.")] = False,
    objective: Annotated[list[str] | None, Parameter(help="With --check: whether this bound can be met there.")] = None,
    db: Db = DB,
    json: Json = False,
    space_settings: Dotted = None,
) -> int:
    """Describe a space in words: its decisions, its settings, its published architectures."""
    from nasengine.console import listings, spaces

    if strategy is not None:
        listings.settings("strategy", strategy, json)
        return exits.OK
    if check:
        return spaces.check(space, space_settings or {}, objective or [], db, json)
    spaces.describe(space, space_settings or {}, json)
    return exits.OK


@app.command
def count(*, space: SpaceName = "darts", json: Json = False, space_settings: Dotted = None) -> None:
    """Count the architectures of a space."""
    from nasengine.console.spaces import count as show_count

    show_count(space, space_settings or {}, json)


@app.command
def cost(
    *,
    space: SpaceName = "darts",
    architecture: Annotated[str | None, PICK] = None,
    db: Db = DB,
    json: Json = False,
    space_settings: Dotted = None,
) -> None:
    """Count parameters and multiply-adds of an architecture, or without one of the smallest and the largest."""
    from nasengine.console.spaces import cost as show_cost

    show_cost(space, architecture, space_settings or {}, db, json)


@app.command
def bench(
    flags: BenchFlags | None = None, *, db: Db = DB, json: Json = False, space_settings: Dotted = None, line: Line = ""
) -> int:
    """Compare strategies on a table of published results: equal budgets, many seeds, curves and significance.

    A strategy's options stand in parentheses: --strategies "evolution,evolution(population=50,sample=5),./mine.py".
    The same command with the same --name goes on where it was stopped; strategies and seeds may be added.
    """
    from nasengine.console.benching import bench as compare

    return compare(flags or BenchFlags(), db=db, json=json, space_settings=space_settings or {}, line=line)


@app.command
def worker(
    file: Annotated[str, Parameter(help="workers.json in the search's folder, which its driver writes.")],
    /,
    *,
    stay: Annotated[bool, Parameter(help="Wait for the next driver instead of ending with this one.")] = False,
) -> int:
    """Work for a search that waits for workers (--executor local --address HOST:PORT), as in a Slurm array."""
    from nasengine.console.working import work

    return work(file, stay)


@app.command
def doctor(*, db: Db = DB, json: Json = False) -> None:
    """Say what this machine offers: versions, threads, GPU, data sets, drawing, extras, database."""
    from nasengine.console.doctor import doctor as look

    look(db, json)


for further in commands.all_of_them():
    app.command(further)


if __name__ == "__main__":
    sys.exit(main())
