"""Many searches write one database at once, each from a process of its own."""

import subprocess
import sys

from nasengine.ledger import Ledger

TRIALS = 25
DRIVER = """
import sys
from nasengine.job import Result
from nasengine.ledger import Ledger, Trial

address, mine, trials = sys.argv[1:]
picks = {"op": [mine]}
with Ledger(address) as ledger, ledger.open_search(space="darts", strategy="x", seed=int(mine)) as search:
    for number in range(int(trials)):
        search.propose(number, picks)
        trial = search.start(Trial(number, architecture=picks))
        search.epoch(trial, {"epoch": 0, "validation_accuracy": int(mine) / 10})
        search.record(Result(number, picks, values={"validation_accuracy": int(mine) / 10}))
        search.tell(number, number)
    search.finish()
"""


def test_four_processes_on_one_database(url: str) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", DRIVER, url, str(mine), str(TRIALS)], stderr=subprocess.PIPE, text=True)
        for mine in range(4)
    ]
    for child in children:
        _, said = child.communicate(timeout=120)
        assert child.returncode == 0, said
    with Ledger(url) as ledger:
        assert ledger.check() == []
        searches = ledger.searches()
        assert sorted(search["name"] for search in searches) == [f"darts-x-{number}" for number in range(1, 5)]
        assert sorted(search["seed"] for search in searches) == [0, 1, 2, 3]
        for search in searches:
            rows, mine = ledger.results(search["name"]), search["seed"]
            assert [row["trial"] for row in rows] == list(range(TRIALS))
            assert all(row["architecture"] == {"op": [str(mine)]} and row["state"] == "complete" for row in rows)
            assert {ledger.epochs(row["id"])[0]["validation_accuracy"] for row in rows} == {mine / 10}
            assert search["state"] == "complete"
