"""Any strategy as a Searcher of Ray Tune, for people who own their training function.

    tuner = tune.Tuner(train, tune_config=tune.TuneConfig(search_alg=Proposals("darts", "evolution", metric=…, mode=…)))

where `train(config)` makes its network by `build(config)`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.job import Json, Result, plain
from nasengine.search.objective import Goal, Objective
from nasengine.search.propose import draws_of, told_of
from nasengine.search.strategy import Remark
from nasengine.space import Architecture, Space

try:
    from ray.tune.search import Searcher
    from ray.tune.search.variant_generator import parse_spec_vars
except ImportError as missing:
    raise NasError(f"nasengine.tune: Ray Tune cannot be imported ({missing}); pip install 'ray[tune]'") from missing

if TYPE_CHECKING:
    from torch import nn

FORMAT = 1
WORDS = ("format", "space", "settings", "strategy", "options", "seed")  # what has to agree for a search to go on
Names = Sequence[str] | str | None


def build(config: Mapping[str, Any], space: Space | None = None, **settings: Any) -> "nn.Module":
    """Make the network of a trial's config: images (batch, channels, height, width) to (batch, classes).

    `settings` change the space's own, such as channels=36. `space` is needed only where `Proposals` was given a Space
    instead of a name; settings are then the caller's business.
    """
    from nasengine.interpreters.model import Model

    space = space or plugins.load_space(config["space"], {**config["settings"], **settings})
    return Model(space, Architecture.from_json(config["architecture"]))


class Proposals(Searcher):
    """Ray Tune asks, a strategy proposes: a trial's config is {"architecture", "space", "settings"}, plain JSON.

    A space with decisions about the training adds "recipe", their values. Proposal n draws from (seed, n) alone, so
    that a search repeats wherever results come in the same order (`max_concurrent_trials=1`). Trials that fail, or
    report no finite metric, are told as failed. Several metrics, with as many modes, are several objectives.

    What is saved is JSON: the results in the order they were told, and the open proposals. To restore it, the strategy
    is made anew and told them again. Errors: NasError.
    """

    _metric: Any
    _mode: Any

    def __init__(
        self,
        space: str | Space = "darts",
        strategy: str = "evolution",
        strategy_options: Mapping[str, Any] | None = None,
        *,
        space_settings: Mapping[str, Any] | None = None,
        metric: Names = None,
        mode: Names = None,
        seed: int = 0,
    ):
        super().__init__()
        self._metric, self._mode = metric, mode
        self.goal = None if metric is None and mode is None else _goal(metric, mode)
        self.space = space if isinstance(space, Space) else plugins.load_space(space, space_settings)
        self.strategy_name, self.options, self.seed = strategy, dict(strategy_options or {}), seed
        if hasattr(plugins.strategy_class(strategy), "draws"):
            raise NasError(f"nasengine.tune: strategy {strategy} trains a supernet; give one that proposes: evolution")
        name = space.name if isinstance(space, Space) else space
        if isinstance(space, str) and name.endswith(".py"):
            name = str(plugins.find("space", name))  # trials run in folders of their own
        self.space_name = name
        self._begin()

    def _begin(self) -> None:
        """A strategy that was told nothing."""
        self.strategy = plugins.load_strategy(self.strategy_name, self.space, self.options)
        self.told: list[Result] = []
        self.open: dict[str, tuple[int, Architecture]] = {}
        self.remarks: list[Remark] = []

    def set_search_properties(self, metric: Any, mode: Any, config: Mapping[str, Any], **spec: Any) -> bool:
        """Take the metric and the mode from the Tuner; its `param_space` may hold constants only."""
        _, domains, grids = parse_spec_vars(dict(config))
        if domains or grids:
            names = ", ".join("/".join(path) for path, _ in (*domains, *grids))
            raise NasError(
                f"nasengine.tune: param_space came with values to be searched for ({names}); it may hold constants; "
                'put such values into the space: Space(…, recipe={"lr": choose(…)})'
            )
        if metric is not None or mode is not None:
            self._metric, self._mode = metric or self._metric, mode or self._mode
            self.goal = _goal(self._metric, self._mode)
        return True

    def suggest(self, trial_id: str) -> Any:
        """The next trial's config; None while the strategy waits for a running trial, FINISHED when it has no more."""
        if self.goal is None:
            raise NasError('nasengine.tune: metric came as None; say metric="validation_accuracy", mode="max"')
        number = len(self.told) + len(self.open)
        architecture = self.strategy.ask(draws_of(self.seed, number))
        self._listen()
        if architecture is None:
            return None if self.open else Searcher.FINISHED
        self.open[trial_id] = number, architecture
        config = {"architecture": architecture.to_json(), "space": self.space_name, "settings": self.space.settings}
        chosen = self.space.recipe_of(architecture)
        return dict(plain({**config, "recipe": chosen} if chosen else config))

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Tell the strategy what became of a trial; trials that are not open are no news."""
        if trial_id not in self.open:
            return
        number, architecture = self.open.pop(trial_id)
        failed = f"trial {trial_id} failed" if error or result is None else None
        self._tell(Result(number, architecture.to_json(), values=_numbers(result or {}), error=failed))

    def _tell(self, result: Result) -> None:
        assert self.goal is not None
        self.told.append(result)
        self.strategy.tell(told_of(result, self.goal))
        self._listen()

    def _listen(self) -> None:
        if hasattr(self.strategy, "remarks"):
            self.remarks += self.strategy.remarks()

    def state(self) -> Json:
        """Everything that the search is, as plain JSON."""
        words = (FORMAT, self.space_name, self.space.settings, self.strategy_name, self.options, self.seed)
        return {
            **plain(dict(zip(WORDS, words, strict=True))),
            "metric": self._metric,
            "mode": self._mode,
            "told": [result.to_json() for result in self.told],
            "open": {trial: [number, made.to_json()] for trial, (number, made) in self.open.items()},
            "remarks": [plain(vars(remark)) for remark in self.remarks],
        }

    def go_on(self, state: Mapping[str, Any]) -> Self:
        """Become what `state()` described, by telling a new strategy the same results in the same order."""
        own = self.state()
        other = [f"{word} {state.get(word)!r}, not {own[word]!r}" for word in WORDS if state.get(word) != own[word]]
        if other:
            raise NasError(f"nasengine.tune: the saved search has {'; '.join(other)}; make Proposals with its words")
        self.set_search_properties(state["metric"], state["mode"], {})
        self._begin()
        earlier = [Remark(**remark) for remark in state["remarks"]]
        if hasattr(self.strategy, "recall"):
            self.strategy.recall(earlier)
        for result in state["told"]:
            self._tell(Result.from_json(result))
        self.remarks = earlier  # what it remarks on hearing them again was remarked before
        opened = state["open"].items()
        self.open = {trial: (number, Architecture.from_json(picks)) for trial, (number, picks) in opened}
        return self

    def save(self, checkpoint_path: str) -> None:
        """Write the search as JSON."""
        Path(checkpoint_path).write_text(json.dumps(self.state()), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Go on from what `save` wrote."""
        self.go_on(json.loads(Path(checkpoint_path).read_text(encoding="utf-8")))

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its searcher; the strategy stays out of that."""
        return {"space": self.space, "state": self.state()}

    def __setstate__(self, kept: Mapping[str, Any]) -> None:
        state = kept["state"]
        self.__init__(kept["space"], state["strategy"], state["options"], seed=state["seed"])  # type: ignore[misc]
        self.space_name = state["space"]
        self.go_on(state)


def _goal(metric: Names, mode: Names) -> Goal:
    metrics, modes = ([one] if isinstance(one, str) else list(one or ()) for one in (metric, mode))
    if not metrics or len(metrics) != len(modes) or not {*modes} <= {"min", "max"}:
        raise NasError(
            f"nasengine.tune: metric {metric!r} and mode {mode!r} came; each metric needs its mode, min or max: "
            'metric="validation_accuracy", mode="max"'
        )
    return Goal(tuple(Objective(name, 1 if way == "max" else -1) for name, way in zip(metrics, modes, strict=True)))


def _numbers(result: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of what a trial reported last, without its config."""
    real = {name: value for name, value in result.items() if isinstance(value, Real) and not isinstance(value, bool)}
    return {name: float(x) for name, x in real.items() if math.isfinite(x) and not name.startswith("config/")}
