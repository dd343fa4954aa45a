"""The bench command: strategies compared on a table, their runs recorded, the comparison said, written and drawn."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Protocol, cast

from nasengine.bench.comparison import Comparison
from nasengine.bench.contest import Contest, Entry
from nasengine.bench.contestants import Contestant, check, parse
from nasengine.bench.many import Task, cores, one_thread_each, run_all
from nasengine.bench.tabular import Run
from nasengine.console import bench_words, exits
from nasengine.console.bench_flags import BenchFlags
from nasengine.console.flags import named
from nasengine.console.output import note
from nasengine.console.searching import again
from nasengine.errors import NasError, TrainingError
from nasengine.ledger import Ledger
from nasengine.ledger.environment import environment
from nasengine.runs import run_folder
from nasengine.search.objective import Reward


class Record(Protocol):
    """Where runs are noted as they are done, and found again."""

    name: str

    def add(self, strategy: str, seed: int, run: Mapping[str, Any]) -> None:
        """Note one run."""

    def runs(self) -> list[dict[str, Any]]:
        """Every run, with `strategy` and `seed` among its facts."""


def bench(flags: BenchFlags, *, db: str, json: bool, space_settings: Mapping[str, str], line: str) -> int:
    """Compare strategies from the words of a command line; returns the exit code."""
    _check(flags)
    one_thread_each()
    contestants = parse(flags.strategies)
    entry = Entry(
        flags.table, flags.dataset, tuple(flags.objective or ()), cast(Reward, flags.reward), flags.mapping,
        flags.space, space_settings, tuple(flags.join or ()),
    )  # fmt: skip
    contest = entry.contest()
    check(contestants, contest.table.space)
    where = environment(installed("torch"))
    with (
        Ledger(named(db)) as ledger,
        ledger.open_bench(flags.name, _facts(flags, contest), command=line, environment=where) as record,
    ):
        runs = conduct(record, contestants, contest, entry, flags, line)
        folder = Path(flags.to) if flags.to is not None else run_folder(ledger, record.name)
    comparison = Comparison(contest, [str(one) for one in contestants], runs, flags.budget, flags.target)
    bench_words.show(comparison, flags, json)
    bench_words.write(comparison, flags, record.name, line, where, folder)
    return exits.FAILED if any(run.error is not None for run in runs) else exits.OK


def conduct(
    record: Record, contestants: Sequence[Contestant], contest: Contest, entry: Entry, flags: BenchFlags, line: str
) -> list[Run]:
    """Make the runs that the record lacks, and return all that are wanted; failed ones are not noted, but returned."""
    sources = {str(one): one.source for one in contestants}
    known = _known(record, sources, flags)
    seeds = range(flags.first_seed, flags.first_seed + flags.seeds)
    tasks = [
        Task(one, seed, flags.budget) for seed in seeds for one in contestants if (str(one), seed) not in known
    ]  # fmt: skip
    runs = [known[label, seed] for seed in seeds for label in sources if (label, seed) in known]
    words = f"bench {record.name}: {len(tasks)} runs" + (f", {len(runs)} are there already" if runs else "")
    try:
        with bench_words.progress(words, len(tasks)) as step, closing(
            run_all(tasks, contest, entry, flags.workers or cores())
        ) as done:  # fmt: skip
            for run in done:
                runs.append(run)
                if run.error is None:
                    facts = {key: value for key, value in asdict(run).items() if key not in ("strategy", "seed")}
                    record.add(run.strategy, run.seed, {**facts, "source": sources[run.strategy]})
                else:
                    note(f"{run.strategy} failed with seed {run.seed} at {run.error}")
                step()
    except KeyboardInterrupt:
        goes_on = f"bench {record.name} is stopped, {len(runs)} runs are saved; this goes on with it:"
        raise exits.Stopped(f"{goes_on}\n  {again(line, record.name)}") from None
    except TrainingError as error:
        raise TrainingError(f"{error}\nThis goes on where it failed:\n  {again(line, record.name)}") from error
    return runs


def _known(record: Record, sources: Mapping[str, str], flags: BenchFlags) -> dict[tuple[str, int], Run]:
    """The runs that are there; a strategy that was changed since cannot go on beside what it did before."""
    found: dict[tuple[str, int], Run] = {}
    changed: dict[str, None] = {}
    for facts in record.runs():
        source = facts.pop("source")
        if sources.get(facts["strategy"], source) != source:
            changed[facts["strategy"]] = None
        found[facts["strategy"], facts["seed"]] = Run(**facts)
    if changed:
        raise NasError(
            f"bench {record.name}: the source of {', '.join(changed)} was changed since its runs were recorded; "
            "choose another --name"
        )
    return found


def _facts(flags: BenchFlags, contest: Contest) -> dict[str, Any]:
    """What a comparison cannot change and still be the same; strategies and seeds may be added."""
    table = contest.table
    return {
        "table": table.name,
        "dataset": table.dataset,
        "fingerprint": table.fingerprint,
        "objectives": [str(one) for one in contest.goal.objectives],
        "reward": contest.goal.reward,
        "budget": flags.budget,
    }


def _check(flags: BenchFlags) -> None:
    numbers = {"budget": flags.budget, "seeds": flags.seeds, "workers": flags.workers}
    faults = [
        f"--{name} came as {value}; give a whole number of at least 1"
        for name, value in numbers.items()
        if value is not None and value < 1
    ]
    if not 0 < flags.target <= 1:
        faults.append(f"--target came as {flags.target}; give a share above 0, at most 1, such as 0.001")
    if flags.to is not None and Path(flags.to).exists() and not Path(flags.to).is_dir():
        faults.append(f"--to came as {flags.to}, which is a file; name a folder")
    if faults:
        raise NasError("bench: " + "; ".join(faults))
