"""How fast a search on a table is: queries a second in memory, whether late asks cost more, records a second.

    python -m benchmarks.tabular_speed [--table nasbench201] [--queries 20000] [--records 4000]

Evolution asks, the table answers, evolution is told: no process, no database; these seconds are the processor's, so
that other work on the machine does not count. The ask that is timed as number n is the median of the asks around it.
What is written goes to SQLite, every entry a durable transaction as in a search, by the clock.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nasengine.bench.contest import Contest, Entry
from nasengine.bench.tabular import query
from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Strategy, Told
from nasengine.strategies.evolution import Evolution

AROUND = 100  # asks on both sides of the one that is timed
ROUNDS = 5


def speed(contest: Contest, queries: int) -> float:
    """Queries a second; the median of some rounds, the first of which fills the caches and does not count."""
    found = []
    for seed in range(ROUNDS + 1):
        strategy = Evolution(contest.table.space)
        began = time.process_time()
        query(contest, strategy, queries, seed, [])
        found.append(queries / (time.process_time() - began))
    return statistics.median(found[1:])


def ask_seconds(contest: Contest, queries: int) -> list[float]:
    """How long every ask of one search took."""
    strategy: Strategy = Evolution(contest.table.space)
    took = []
    for number in range(queries):
        rng = draws_of(0, number)
        began = time.perf_counter()
        architecture = strategy.ask(rng)
        took.append(time.perf_counter() - began)
        assert architecture is not None
        values, score, objectives = contest.answer(contest.table.row(architecture))
        strategy.tell(Told(number, architecture, values, score, None, objectives))
    return took


def around(took: list[float], number: int) -> float:
    """The median of the asks around one."""
    return statistics.median(took[max(number - AROUND, 0) : number + AROUND])


def records(contest: Contest, count: int, folder: Path) -> tuple[float, float, float]:
    """Records a second: entries of a search that trains, whole trials of a search on a table, runs of a comparison."""
    space = contest.table.space
    picks = Evolution(space).ask(draws_of(0, 0)).to_json()
    results = [Result(number, picks, values={"validation_accuracy": 0.5}) for number in range(count)]

    def propose_record_tell(result: Result) -> None:
        record.propose(result.number, picks)
        record.record(result)
        record.tell(result.number, result.number)

    with Ledger(folder / "speed.db") as ledger:
        with ledger.open_search("trained", space=space.name, strategy="evolution", command="benchmark") as record:
            single = 3 * rate(propose_record_tell, results[: count // 3])
        with ledger.open_search("table", space=space.name, strategy="evolution", command="benchmark") as record:
            trials = rate(lambda result: record.answer(result, result.number, value=0.5), results)
        with ledger.open_bench("speed", {"table": space.name}) as runs:
            whole = rate(lambda result: runs.add("evolution", result.number, {"rows": list(range(100))}), results)
    return single, trials, whole


def rate(write: Callable[[Result], None], results: list[Result]) -> float:
    """How many results are written a second, by the clock."""
    began = time.perf_counter()
    for result in results:
        write(result)
    return len(results) / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="nasbench201")
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--records", type=int, default=4000)
    words = parser.parse_args()
    contest = Entry(words.table).contest()
    print(f"evolution on {words.table}: {speed(contest, words.queries):,.0f} queries a second in memory")
    took = ask_seconds(contest, 10_000 + AROUND)
    late, early = around(took, 10_000), around(took, AROUND)
    print(f"the 10,000th ask takes {late / early:.2f} times the {AROUND}th ({1e6 * late:.1f} and {1e6 * early:.1f} us)")
    with tempfile.TemporaryDirectory() as folder:
        single, trials, whole = records(contest, words.records, Path(folder))
    print(f"the SQLite ledger takes {single:,.0f} entries a second of a search that trains (three a trial),")
    print(f"{trials:,.0f} trials a second of a search on a table, and {whole:,.0f} runs of a comparison")


if __name__ == "__main__":
    main()
