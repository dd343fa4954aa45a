"""The flags of the bench command."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import Dataset, Join, Mapping

STRATEGIES = "random-search,local-search,evolution,gbdt"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class BenchFlags:
    """What a comparison is told."""

    strategies: Annotated[
        str, Parameter(help="Names, files or modules; options in parentheses: evolution,evolution(population=50).")
    ] = STRATEGIES
    table: Annotated[str, Parameter(help="digits, a table under NASENGINE_TABLES, or a file.")] = "digits"
    dataset: Dataset = None
    mapping: Mapping = None
    join: Join = None
    budget: Annotated[int, Parameter(help="Queries of each run; duplicates cost one, too.")] = 100
    seeds: Annotated[int, Parameter(help="How many seeds each strategy runs with.")] = 50
    first_seed: Annotated[int, Parameter(help="The first of them.")] = 0
    objective: Annotated[
        list[str] | None, Parameter(help="A value to make large, or min:VALUE, or VALUE<BOUND; may be given again.")
    ] = None
    reward: Annotated[str, Parameter(help="How bounds enter: soft, or hard.")] = "soft"
    target: Annotated[float, Parameter(help="Count queries until this best share of the rows is reached.")] = 0.001
    space: Annotated[str | None, Parameter(help="The space that your own table is about.")] = None
    to: Annotated[str | None, Parameter(help="The folder for page and pictures; without, one beside --db.")] = None
    name: Annotated[str | None, Parameter(help="Its name; the same command and name go on with it.")] = None
    workers: Annotated[int | None, Parameter(help="How many runs at once; without, one for each core.")] = None
