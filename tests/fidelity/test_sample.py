"""Which networks a sample has, and what is refused before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.fidelity.sample import drawn, prepare, supernet_of
from nasengine.interpreters.digest import digest
from nasengine.layers import Classifier
from nasengine.space import Architecture, Space, choose, op
from tests.fidelity.conftest import LIMIT, SHORT


def test_networks_differ_and_more_of_them_begin_with_the_same() -> None:
    space = plugins.load_space("small-cell")
    some, more = drawn(space, 12, 0), drawn(space, 30, 0)
    assert more[:12] == some
    assert len({digest(space, one) for one in more}) == 30
    assert drawn(space, 12, 1) != some


def test_a_small_space_gives_all_it_has_and_two_networks_are_no_ranking() -> None:
    def heads(*norms: bool) -> Space:
        options = {f"n{i}": op(Classifier, classes=2 + 0 * i, norm=norm) for i, norm in enumerate(norms)}
        return Space("heads", input=(1, 4, 4), network=choose("head", **options))

    with pytest.raises(NasError, match="space heads has 2 different networks; at least 3"):
        drawn(heads(True, False, True), 10, 0)


def test_the_two_jobs_of_a_network_differ_in_where_weights_come_from(db: Path, weights: Path) -> None:
    sample = prepare("big", db=db, **SHORT, batches=2, recipe_values={"lr": "0.01"})
    measured, trained = sample.job(1, "inherited"), sample.job(1, "candidate")
    assert measured.architecture == trained.architecture == sample.architectures[1].to_json()
    assert (measured.evaluator, measured.weights) == ("inherit", str(weights))
    assert measured.fidelity["batches"] == 2 and measured.fidelity["supernet"]["search"] == "big"
    assert (trained.evaluator, trained.weights, trained.fidelity) == ("train", None, {"limit": LIMIT})
    assert trained.recipe["epochs"] == 1 and trained.recipe["lr"] == 0.01
    assert isinstance(sample.architectures[0], Architecture) and sample.name == "big-fidelity"


def test_a_search_with_a_supernets_weights_stands_for_that_supernet(db: Path) -> None:
    assert supernet_of("evo", db).search == supernet_of("big", db).search == "big"
    assert prepare("evo", db=db, **SHORT).name == "evo-fidelity"


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("bag", {}, "recorded are big, evo, plain. Did you mean"),
        ("plain", {}, "fidelity plain: there: that search trained no supernet"),
        ("big", {"samples": 2}, "samples came as 2; give a whole number of at least 3"),
        ("big", {"batches": 0}, "batches came as 0"),
        ("big", {"limit": None}, f"give the --limit of its search, which was: nasengine --limit {LIMIT}"),
        ("big", {"recipe_values": {"lt": 1}}, '"lt" came; .* Did you mean'),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(name: str, words: dict[str, Any], said: str, db: Path) -> None:
    with pytest.raises(NasError, match=said):
        prepare(name, db=db, **{**SHORT, **words})
