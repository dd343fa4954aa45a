"""What a search is going to do, worked out and checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.search.propose import Order
from nasengine.search.relax import Policy
from nasengine.space import Space
from nasengine.training import data as data_sets
from nasengine.training.recipe import Recipe, recipe

OF_THE_DATA = ("input", "classes")  # settings of a space that data decides
TRIALS = 20  # proposals of an ask/tell search, unless said otherwise
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """One search in full: space, strategy, data, recipes and budget, all checked against each other."""

    space: Space
    space_name: str
    strategy_name: str
    strategy_options: dict[str, Any]
    data_name: str
    dataset: data_sets.Dataset
    limit: int | None
    candidate: Recipe
    final: Recipe
    seed: int
    trials: int
    hours: float | None
    evaluator: str
    executor: str
    workers: int
    order: Order
    reuse: bool
    name: str | None
    supernet_space: Space | None = None  # given: the strategy learns gates inside this supernet
    supernet: Recipe | None = None
    policy: Policy = "last"

    @property
    def is_gradient(self) -> bool:
        """Whether the strategy learns gates inside a supernet, rather than proposing architectures."""
        return self.supernet_space is not None

    def strategy(self) -> Any:
        """The strategy, made anew for its space."""
        space = self.supernet_space or self.space
        return plugins.load_strategy(self.strategy_name, space, self.strategy_options)

    def facts(self) -> dict[str, Any]:
        """What the ledger keeps of a search; a search of the same name must agree with it to be resumed."""
        recipes = {"candidate": self.candidate, "final": self.final, "supernet": self.supernet}
        return {
            "space": self.space_name,
            "settings": dict(self.space.settings),
            "strategy": self.strategy_name,
            "options": self.strategy_options | ({"policy": self.policy} if self.is_gradient else {}),
            "evaluator": self.evaluator,
            "data": self.data_name,
            "data_fingerprint": self.dataset.fingerprint,
            "recipe": {name: made.to_json() for name, made in recipes.items() if made is not None},
            "seed": self.seed,
            "trials": self.trials,
            "epochs": (self.supernet or self.candidate).epochs,
        }


def space_for(name: str, dataset: data_sets.Dataset, settings: Settings) -> Space:
    """A space with `input` and `classes` of the data, where the settings do not say otherwise."""
    return plugins.load_space(name, {"input": dataset.input, "classes": dataset.classes, **settings})


def make(
    space: str = "darts",
    strategy: str = "pr-darts",
    data: Any = "digits",
    *,
    name: str | None = None,
    trials: int | None = None,
    epochs: int | None = None,
    hours: float | None = None,
    seed: int = 0,
    limit: int | None = None,
    evaluator: str = "train",
    executor: str = "inline",
    workers: int = 1,
    order: Order = "arrival",
    reuse: bool = True,
    policy: Policy = "last",
    space_settings: Settings | None = None,
    strategy_options: Settings | None = None,
    recipe_values: Settings | None = None,
    supernet_values: Settings | None = None,
) -> Plan:
    """Work out a search from what a user said; raises a NasError naming the bad word and what is allowed.

    `epochs` are those of the supernet, or of each candidate where there is none; `recipe_values` set the training of
    candidates and of the chosen network (their `epochs` only the latter's); `supernet_values` that of the supernet.
    """
    faults = [
        f"{flag} came as {value}; give a whole number of at least 1"
        for flag, value in (("trials", trials), ("epochs", epochs), ("workers", workers), ("limit", limit))
        if value is not None and value < 1
    ]
    if hours is not None and hours <= 0:
        faults.append(f"hours came as {hours}; give a number above 0")
    for flag, value, allowed in (("order", order, ("arrival", "proposal")), ("policy", policy, ("last", "best"))):
        if value not in allowed:
            faults.append(f"{flag} came as {value!r}; allowed are {', '.join(allowed)}")
    if faults:
        raise NasError("search: " + "; ".join(faults))
    plugins.find("evaluator", evaluator)
    plugins.find("executor", executor)
    is_gradient = hasattr(plugins.strategy_class(strategy), "draws")
    if supernet_values and not is_gradient:
        raise NasError(f"search: strategy {strategy} trains no supernet, so --supernet.… has no meaning; leave it out")
    dataset = data_sets.load(data, limit=limit)
    chosen = dict(recipe_values or {})
    during = {key: value for key, value in chosen.items() if key != "epochs"}
    settings = dict(space_settings or {})
    supernet_settings = {**plugins.supernet_settings(space), **settings} if is_gradient else {}
    asked = {} if epochs is None else {"epochs": epochs}
    plan = Plan(
        space=space_for(space, dataset, settings),
        space_name=space,
        strategy_name=strategy,
        strategy_options=dict(strategy_options or {}),
        data_name=str(data) if isinstance(data, str | Path) else dataset.name,
        dataset=dataset,
        limit=limit,
        candidate=recipe("proxy", **during, **({} if is_gradient else asked)),
        final=recipe("final", **chosen),
        seed=seed,
        trials=1 if is_gradient else trials or TRIALS,
        hours=hours,
        evaluator=evaluator,
        executor=executor,
        workers=workers,
        order=order,
        reuse=reuse,
        name=name,
        supernet_space=space_for(space, dataset, supernet_settings) if is_gradient else None,
        supernet=recipe("supernet", **{**(supernet_values or {}), **asked}) if is_gradient else None,
        policy=policy,
    )
    plan.strategy()
    return plan
