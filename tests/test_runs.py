"""What searches left: trials by their names, weights where they are now, picks from words."""

import json
from pathlib import Path

import pytest

from nasengine.errors import ExportError, LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.ledger import Trial as TrialStart
from nasengine.runs import Run, picks_of

WEIGHTS = Path("results", "one", "seed-1", "weights", "final.safetensors")
PICKS = {"kernel": ["3"]}
SETTINGS = {"width": 8}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A search of one candidate and two final networks, whose weights were recorded by a path relative to a folder."""
    path = tmp_path / "moved" / "n.db"
    ledger = Ledger(path)
    with ledger.open_search("one", space="darts", strategy="random-search") as record:
        record.propose(0, PICKS)
        record.record(Result(0, PICKS, values={"validation_accuracy": 0.5}))
        for number in (1, 2):
            record.start(TrialStart(number, "final", architecture=PICKS, lineage={"settings": SETTINGS}))
            result = Result(number, PICKS, values={"test_accuracy": 0.5}, weights=str(WEIGHTS))
            record.record(result, kind="final")
        record.finish()
    ledger.close()
    return path


def test_trials_have_names(db: Path) -> None:
    run = Run("one", db)
    named = {name: (run.trial(name).kind, run.trial(name).number) for name in ("0", "final", "final-1", "final-2")}
    assert named == {"0": ("candidate", 0), "final": ("final", 1), "final-1": ("final", 1), "final-2": ("final", 2)}
    assert run.trial("best").kind == "final"
    with pytest.raises(LedgerError, match="no trial 1; there are 0, final-1, final-2, best"):
        run.trial(1)


def test_weights_are_found_where_the_database_was_moved_to(db: Path) -> None:
    assert Run("one", db).trial("final").row["weights"] == str(WEIGHTS)  # nowhere: the recorded place is named
    place = db.with_suffix(".runs").joinpath(*WEIGHTS.parts[WEIGHTS.parts.index("one") :])
    place.parent.mkdir(parents=True)
    place.touch()
    assert Run("one", db).trial("final").row["weights"] == str(place)


def test_picks_come_from_names_text_files_and_trials(db: Path, tmp_path: Path) -> None:
    kept = {"kernel": ("3",)}
    assert picks_of("darts", json.dumps(PICKS)) == (kept, {})
    assert picks_of("darts", json.dumps({"kernel": "3"})) == (kept, {})
    exported = tmp_path / "architecture.json"
    exported.write_text(json.dumps({"architecture": PICKS, "settings": SETTINGS}))
    assert picks_of("darts", str(exported)) == (kept, SETTINGS)
    assert picks_of("darts", "one:final-2", db) == (kept, SETTINGS)
    _, published = picks_of("darts", "prdarts")
    assert (published["channels"], published["layers"]) == (36, 20)  # Zhou et al., 2020, on CIFAR-10


@pytest.mark.parametrize(
    ("text", "said"),
    [("none.json", "no such file"), ("{kernel", "not JSON"), ('{"a": 1}', "not JSON of decisions"), ("[1]", "called")],
)
def test_words_that_are_no_picks(text: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        picks_of("darts", text)


def test_an_architecture_of_another_space_is_refused_by_name(db: Path) -> None:
    with pytest.raises(ExportError, match="it is of space darts, metaformer came; give --space darts"):
        picks_of("metaformer", "one:final", db)
