"""Any strategy as a Searcher of Ray Tune: it asks as a search of ours does, saves JSON, and goes on undisturbed."""

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from ray.tune.search import Searcher

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.search.propose import draws_of
from nasengine.space import Architecture, Space, choose, op
from nasengine.tune import Proposals, build

SMALL: dict[str, Any] = {"space_settings": {"channels": 4}, "metric": "accuracy", "mode": "max"}
EVOLUTION = {"population": 4, "sample": 2}


def made(strategy: str = "evolution", **words: Any) -> Proposals:
    options = EVOLUTION if strategy == "evolution" else {}
    return Proposals("small-cell", strategy, options, **{**SMALL, **words})


def accuracy(config: dict[str, Any]) -> float:
    """A number that only the architecture decides."""
    return random.Random(json.dumps(config["architecture"], sort_keys=True)).random()


def go(search: Proposals, numbers: range) -> list[dict[str, Any]]:
    configs = []
    for number in numbers:
        config = search.suggest(f"t{number}")
        assert isinstance(config, dict)
        configs.append(config)
        search.on_trial_complete(f"t{number}", {"accuracy": accuracy(config), "done": True, "trial_id": "x"})
    return configs


def test_a_config_is_plain_json_from_which_the_network_is_built() -> None:
    config = go(made(), range(1))[0]
    assert json.loads(json.dumps(config)) == config
    assert set(config) == {"architecture", "space", "settings"}
    images = torch.rand(2, 1, 8, 8)
    narrow, wide = build(config), build(config, channels=8)
    assert narrow(images).shape == wide(images).shape == (2, 10)
    assert sum(p.numel() for p in wide.parameters()) > 2 * sum(p.numel() for p in narrow.parameters())


def test_it_proposes_what_a_search_of_ours_proposes() -> None:
    space = plugins.load_space("small-cell", SMALL["space_settings"])
    random_search = plugins.load_strategy("random-search", space)
    expected = [random_search.ask(draws_of(3, number)).to_json() for number in range(5)]
    assert [config["architecture"] for config in go(made("random-search", seed=3), range(5))] == expected


def test_a_saved_search_is_json_and_goes_on_as_if_undisturbed(tmp_path: Path) -> None:
    whole = go(made(), range(12))
    first = made()
    begun = go(first, range(7))
    opened = first.suggest("t7")
    first.save(str(tmp_path / "search"))
    assert json.loads((tmp_path / "search").read_text())["open"]["t7"][0] == 7
    second = made()
    second.restore(str(tmp_path / "search"))
    assert opened is not None
    second.on_trial_complete("t7", {"accuracy": accuracy(opened)})
    assert [*begun, opened, *go(second, range(8, 12))] == whole


def test_a_pickle_of_it_holds_no_strategy() -> None:
    first = made(metric=None, mode=None)
    first.set_search_properties("accuracy", "max", {"lr": 0.1})
    begun = go(first, range(6))
    again = pickle.loads(pickle.dumps(first))
    assert not any(value is first.strategy for value in first.__getstate__().values())
    assert [*begun, *go(again, range(6, 10))] == go(made(), range(10))


def test_a_search_does_not_go_on_with_the_results_of_another() -> None:
    with pytest.raises(NasError, match="'random-search', not 'evolution'.*; make Proposals with its words"):
        made().go_on(made("random-search").state())


def test_failed_trials_are_told_as_failed_and_strangers_are_ignored() -> None:
    search = made()
    told: list[Any] = []
    search.strategy.tell = told.append
    for trial in "abcd":
        search.suggest(trial)
    search.on_trial_complete("a", error=True)
    search.on_trial_complete("b", {"loss": 1.0})
    search.on_trial_complete("c", {"accuracy": float("nan")})
    search.on_trial_complete("d", {"accuracy": torch.tensor(0.5).numpy()[()], "config/lr": 0.1, "seconds": 3})
    search.on_trial_complete("d", {"accuracy": 0.9})
    search.on_trial_complete("stranger", {"accuracy": 0.9})
    assert [one.value for one in told] == [None, None, None, 0.5]
    assert told[0].error == "trial a failed"
    assert told[1].error is not None and "no value called accuracy" in told[1].error
    assert told[3].values == {"accuracy": 0.5, "seconds": 3.0}


def test_several_metrics_are_several_objectives() -> None:
    search = made(metric=["accuracy", "loss"], mode=["max", "min"])
    told: list[Any] = []
    search.strategy.tell = told.append
    search.suggest("a")
    search.on_trial_complete("a", {"accuracy": 0.5, "loss": 2.0})
    assert told[0].objectives == (0.5, -2.0)


class _Two:
    """Proposes two architectures, the second when it has heard of the first."""

    def __init__(self, space: Space):
        self.space, self.heard = space, 0

    def ask(self, rng: random.Random) -> Architecture | None:
        return self.space.sample(rng) if self.asked < 1 + min(self.heard, 1) else None

    def tell(self, result: Any) -> None:
        self.heard += 1

    asked = 0


def test_a_strategy_that_waits_pauses_tune_and_one_with_no_more_ends_it() -> None:
    search = made()
    search.strategy = _Two(search.space)
    assert isinstance(search.suggest("a"), dict)
    search.strategy.asked = 1
    assert search.suggest("b") is None
    search.on_trial_complete("a", {"accuracy": 0.1})
    assert isinstance(search.suggest("b"), dict)
    search.strategy.asked = 2
    assert search.suggest("c") is None
    search.on_trial_complete("b", error=True)
    assert search.suggest("c") == Searcher.FINISHED


class _Layer(torch.nn.Module):
    def __init__(self, channels: int, size: int):
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)[:, :1].expand(-1, self.size)


def test_a_space_of_ones_own_and_its_decisions_about_the_training() -> None:
    network = op(_Layer, size=choose("size", 3, 5))
    space = Space("own", input=(1, 4, 4), network=network, recipe={"lr": choose("lr", 0.1, 0.2)})
    config = Proposals(space, "random-search", metric="loss", mode="min").suggest("a")
    assert isinstance(config, dict)
    assert config["recipe"]["lr"] in (0.1, 0.2)
    size = int(config["architecture"]["size"][0])
    assert build(config, space)(torch.rand(2, 1, 4, 4)).shape == (2, size)


def test_a_file_of_ones_own_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(plugins.find("space", "small-cell")).read_text()
    (tmp_path / "mine.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    config = Proposals("./mine.py", "random-search", metric="loss", mode="min").suggest("a")
    monkeypatch.chdir("/")
    assert isinstance(config, dict)
    assert build(config)(torch.rand(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"metric": "accuracy", "mode": None}, "metric 'accuracy' and mode None came; each metric needs its mode"),
        ({"metric": ["a", "b"], "mode": ["max"]}, "each metric needs its mode"),
        ({"metric": "a", "mode": "maximum"}, "mode 'maximum' came"),
        ({"strategy": "pr-darts"}, "strategy pr-darts trains a supernet; give one that proposes"),
    ],
)
def test_bad_words_are_refused(words: dict[str, Any], text: str) -> None:
    with pytest.raises(NasError, match=text):
        made(**words)


def test_a_search_without_a_metric_and_a_space_beside_ours_are_refused() -> None:
    from ray import tune

    search = made(metric=None, mode=None)
    with pytest.raises(NasError, match='say metric="validation_accuracy", mode="max"'):
        search.suggest("a")
    with pytest.raises(NasError, match="param_space came with values to be searched for \\(lr\\)"):
        search.set_search_properties("accuracy", "max", {"lr": tune.uniform(0, 1)})
