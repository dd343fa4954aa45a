"""The best networks of a search, trained anew under several seeds: ranked, gone on with, and seen by other commands."""

import statistics
from pathlib import Path

import pytest

from nasengine.ledger import Ledger
from nasengine.retrain_plan import prepare_top
from nasengine.runs import Run
from nasengine.top import top
from tests.console.typed import good, nasengine

SEARCH = ["search", "--space", "small-cell", "--strategy", "random-search", "--trials", "5", "--epochs", "1"]
SEARCH += ["--limit", "120", "--recipe.epochs", "1", "--name", "seek"]
AGAIN = ["train", "--from", "seek", "--limit", "120", "--recipe.epochs", "1"]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A search of five networks, and two of them trained anew under two seeds."""
    path = str(tmp_path_factory.mktemp("retrained") / "n.db")
    good(*SEARCH, "--db", path)
    good(*AGAIN, "--top", "2", "--seeds", "2", "--db", path)
    return path


def test_the_best_different_networks_are_trained_the_chosen_one_first(db: str) -> None:
    run, again = Run("seek", db), Run("seek-retrained", db)
    rows = [row for row in run.results() if row["kind"] == "candidate"]
    best = top(run, 9)
    assert len(best) == len({row["digest"] for row in rows})
    assert [one.value for one in best] == sorted((one.value for one in best), reverse=True)
    assert best[0].trial == run.trial("final").lineage["chosen_from"]
    trained = again.results()
    assert [(row["trial"], row["seed"], row["lineage"]["place"]) for row in trained] == [
        (0, 0, 1), (1, 0, 2), (2, 1, 1), (3, 1, 2),
    ]  # fmt: skip
    assert [row["lineage"]["retrained_from"] for row in trained[:2]] == [f"seek:{one.trial}" for one in best[:2]]
    assert len({row["weights"] for row in trained}) == 4 and all(Path(row["weights"]).exists() for row in trained)
    assert again.best.number == 2  # the search's choice: test figures choose nothing


def test_figures_are_means_with_the_deviation_of_a_sample(db: str) -> None:
    done = good(*AGAIN, "--top", "2", "--seeds", "2", "--db", db, "--json")
    assert "epoch" not in done.err and "final   " not in done.err  # nothing was trained
    found = done.json
    assert found["from"] == "seek" and found["tau"] in (-1, 1) and found["compared_by"] == "validation_accuracy"
    rows = Run("seek-retrained", db).results()
    for rank, network in enumerate(found["networks"], 1):
        scores = [row["values"]["test_accuracy"] for row in rows if row["trial"] in network["trials"]]
        assert network["rank"] == rank and network["scores"] == scores
        assert network["mean"] == pytest.approx(statistics.mean(scores))
        assert network["deviation"] == pytest.approx(statistics.stdev(scores))
    assert found["networks"][0]["mean"] >= found["networks"][1]["mean"]


def test_more_networks_and_seeds_go_on_under_the_same_name(db: str, tmp_path: Path) -> None:
    with Ledger(db) as ledger:
        before = {row["trial"]: row["values"] for row in ledger.results("seek-retrained")}
    done = good(*AGAIN, "--top", "3", "--seeds", "2", "--db", db)
    assert done.err.count("of 6)") == 2  # the third network under both seeds
    with Ledger(db) as ledger:
        rows = ledger.results("seek-retrained")
    assert len(rows) == 6 and {row["trial"]: row["values"] for row in rows if row["trial"] in before} == before
    lines = done.out.splitlines()
    assert "test accuracy" in lines[0] and "validation accuracy" in lines[0] and "in the search" in lines[0]
    assert done.out.count(" ± 0.") == 3 and "Kendall's tau" in done.out and "nasengine export final-" in done.out
    assert "seek-retrained" in good("results", "--db", db).out
    assert "retrained from" in good("show", "final-1", "--name", "seek-retrained", "--db", db).out


def test_what_cannot_be_is_refused_before_anything_is_trained(db: str) -> None:
    def said(*words: str) -> str:
        done = nasengine("train", *words, "--db", db)
        assert done.code == 2
        return done.err

    assert "give one" in said() and "give one" in said("--from", "seek", "--architecture", "seek:best")
    assert "--space darts came with --from" in said("--from", "seek", "--space", "darts")
    assert "Did you mean" in said("--from", "sek")
    assert "top came as 0" in said("--from", "seek", "--top", "0")
    assert "published, search" in said("--from", "seek", "--scale", "publishd")
    assert "recipe.final.epochs is recorded as 1" in said(*AGAIN[1:-1], "2")


def test_the_scale_and_recipe_of_publications_where_they_fit(searched: tuple[list[str], object]) -> None:
    db = searched[0][-1]
    training = prepare_top("one", db=db, count=1)
    settings = training.space.settings
    assert (settings["channels"], settings["layers"], settings["auxiliary"]) == (36, 20, True)  # Liu et al., 2019
    assert (training.recipe.epochs, training.recipe.cutout) == (20, 0)  # for images of 8 x 8 theirs makes no sense
    assert any("channels 36" in note and "recipe final" in note for note in training.notes)
    as_it_was = prepare_top("one", db=db, count=1, scale="search", space_settings={"layers": 4})
    assert (as_it_was.space.settings["channels"], as_it_was.space.settings["layers"]) == (4, 4)
    assert prepare_top("one", db=db, count=9).notes[-1].startswith("one has 2 different networks")
