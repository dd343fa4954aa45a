"""By what equal work is known again."""

import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from nasengine import bookkeeping
from nasengine.bookkeeping import Bookkeeping
from nasengine.interpreters.digest import digest, layers_fingerprint
from nasengine.job import Job, reuse_key
from nasengine.plugins import load_space
from nasengine.space import Architecture


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    bookkeeping._identity.cache_clear()
    yield
    bookkeeping._identity.cache_clear()


def test_a_network_is_identified_once_and_its_key_is_that_of_all_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("small-cell", {"input": (1, 8, 8), "classes": 10})
    first, second = (space.sample(random.Random(seed)).to_json() for seed in (0, 1))
    walked = []
    monkeypatch.setattr(bookkeeping, "digest", lambda *network: (walked.append(network), digest(*network))[1])
    books: Any = SimpleNamespace(plan=SimpleNamespace(space=space, data=SimpleNamespace(fingerprint="d")))

    def key(picks: dict[str, list[str]], seed: int) -> str:
        job = Job(0, "small-cell", {"a": 1}, picks, "train", {"lr": 0.1}, "digits", {"epochs": 2}, seed)
        return Bookkeeping.key(books, job)

    def plainly(picks: dict[str, list[str]], seed: int) -> str:
        network = space, Architecture.from_json(picks)
        return reuse_key(
            digest=digest(*network), layers=layers_fingerprint(*network), data="d", seed=seed,
            recipe={"lr": 0.1, **space.recipe_of(network[1])},
            fidelity={"epochs": 2, "settings": {"a": 1}, "evaluator": "train"},
        )  # fmt: skip

    asked = [(picks, seed) for picks in (first, first, second, first) for seed in (0, 1)]
    assert [key(*one) for one in asked] == [plainly(*one) for one in asked]
    assert len(walked) == 2
