"""Which searches are compared: patterns, groups of seeds by their facts, labels, and what is refused."""

from pathlib import Path

import pytest

from nasengine.compare.groups import grouped, inside
from nasengine.errors import NasError
from nasengine.ledger import Ledger
from tests.compare.made_up import write


def labels(db: Path, *texts: str) -> dict[str, list[str]]:
    with Ledger(db) as ledger:
        return {group.label: [member.name for member in group.members] for group in grouped(ledger, texts)}


def test_searches_that_differ_in_their_seed_alone_are_one_group(db: Path) -> None:
    evo, rand = [f"evo-{seed}" for seed in range(4)], [f"rand-{seed}" for seed in range(4)]
    assert labels(db, "evo-*", "rand-*") == labels(db, "*") == {"evo": evo, "rand": rand}
    assert labels(db, "evo-3", "rand-1", "evo-0") == {"evo": ["evo-0", "evo-3"], "rand-1": ["rand-1"]}
    write(db, "evo-large", [0.5], 0.5, seed=0, settings={"channels": 16})
    assert labels(db, "evo-*") == {"evo": evo, "evo-large": ["evo-large"]}


def test_a_label_makes_a_group_of_whatever_is_named(db: Path) -> None:
    assert labels(db, "evo-0+rand-0=mixed", "evo-1") == {"mixed": ["evo-0", "rand-0"], "evo-1": ["evo-1"]}
    with Ledger(db) as ledger:
        mixed, one = grouped(ledger, ["evo-0+rand-0=mixed", "evo-1"])
    assert list(inside(mixed)) == ["strategy"] and inside(one) == {}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["evo-0", "evo-9"], "no search is called evo-9.*Did you mean"),
        (["evo-*"], "differ in nothing but their seed"),
        (["evo-0=a", "evo-0=b"], "evo-0 came twice"),
    ],
)
def test_what_makes_no_groups_is_refused(db: Path, texts: list[str], said: str) -> None:
    with Ledger(db) as ledger, pytest.raises(NasError, match=said):
        grouped(ledger, texts)


def test_a_search_without_results_is_refused(db: Path) -> None:
    write(db, "empty", [], None, finish=False)
    with Ledger(db) as ledger, pytest.raises(NasError, match="compare empty: nothing of it has ended"):
        grouped(ledger, ["empty", "evo-0"])
