"""What a search is going to do, worked out and checked before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.executors._terms import Terms
from nasengine.ledger.queries import METRIC
from nasengine.plan_words import LOWERED, Settings, Words, agree, check, fidelity_of, several, terms_of
from nasengine.search.objective import ACCURACY, Goal, Objective, Reward
from nasengine.search.propose import Order
from nasengine.search.relax import Policy
from nasengine.space import Space
from nasengine.tables import Table
from nasengine.training import data as data_sets
from nasengine.training.fidelity import check_fidelity
from nasengine.training.recipe import Recipe, recipe

OF_THE_DATA = ("input", "classes")  # settings of a space that data decides
TRIALS = 20  # proposals of an ask/tell search, unless said otherwise
SPACE = "darts"


@dataclass(frozen=True)
class Plan:
    """One search in full: space, strategy, data, recipes and budget, all checked against each other.

    A search on a table has no data set: it trains nothing.
    """

    space: Space
    space_name: str
    strategy_name: str
    strategy_options: dict[str, Any]
    data_name: str
    dataset: data_sets.Dataset | None
    limit: int | None
    candidate: Recipe
    final: Recipe
    seed: int
    trials: int
    hours: float | None
    evaluator: str
    executor: str
    order: Order
    reuse: bool
    name: str | None
    supernet_space: Space | None = None  # given: the strategy learns gates inside this supernet
    supernet: Recipe | None = None
    policy: Policy = "last"
    goal: Goal = ACCURACY
    warm_start: tuple[str, ...] = ()  # searches whose results are told first
    table: Table | None = None  # given: it answers instead of a training
    fidelity: dict[str, Any] = field(default_factory=dict)  # of candidates
    terms: Terms = field(default_factory=Terms)
    stopper: str | None = None  # what ends candidates early
    stop_by: str = METRIC  # by which value of an epoch
    gpu_hours: float | None = None

    @property
    def workers(self) -> int:
        """How many jobs run at once."""
        return self.terms.workers

    @property
    def candidate_epochs(self) -> int:
        """How many epochs a candidate is trained."""
        return int(self.fidelity.get("epochs", self.candidate.epochs))

    def settings_of(self, final: bool) -> dict[str, Any]:
        """The settings that a network is built with: candidates may see smaller images."""
        settings = dict(self.space.settings)
        if not final and "resolution" in self.fidelity:
            side = self.fidelity["resolution"]
            settings["input"] = (self.data.input[0], side, side)
        return settings

    @property
    def data(self) -> data_sets.Dataset:
        """The data set; not asked for where a table answers."""
        assert self.dataset is not None, f"table {self.data_name} has no images"
        return self.dataset

    @property
    def final_evaluator(self) -> str:
        """What measures the chosen network."""
        return "train" if self.table is None else self.evaluator

    @property
    def final_fidelity(self) -> dict[str, Any]:
        """At what fidelity: the highest."""
        return {key: value for key, value in self.fidelity.items() if key not in LOWERED}

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
        if self.table is not None:
            recipes = {}
        return {
            "space": self.space_name,
            "settings": dict(self.space.settings),
            "strategy": self.strategy_name,
            "options": self.strategy_options | ({"policy": self.policy} if self.is_gradient else {}),
            "evaluator": self.evaluator,
            "data": self.data_name,
            "data_fingerprint": self.data.fingerprint if self.table is None else self.table.fingerprint,
            "recipe": {name: made.to_json() for name, made in recipes.items() if made is not None},
            "seed": self.seed,
            "trials": self.trials,
            "epochs": (self.supernet or self.candidate).epochs if self.table is None else self.fidelity.get("epochs"),
            "goal": self.goal.to_json() if self.goal != ACCURACY else None,
            "fidelity": {key: self.fidelity[key] for key in LOWERED if key in self.fidelity and self.table is None},
            "stopper": {"kind": self.stopper, "metric": self.stop_by} if self.stopper else None,
        }


def space_for(name: str, dataset: data_sets.Dataset, settings: Settings) -> Space:
    """A space with `input` and `classes` of the data, where the settings do not say otherwise."""
    return plugins.load_space(name, {"input": dataset.input, "classes": dataset.classes, **settings})


def make(
    space: str | None = None,
    strategy: str = "pr-darts",
    data: Any = "digits",
    *,
    name: str | None = None,
    trials: int | None = None,
    epochs: int | None = None,
    hours: float | None = None,
    seed: int = 0,
    limit: int | None = None,
    evaluator: str | None = None,
    executor: str = "inline",
    order: Order = "arrival",
    reuse: bool = True,
    stopper: str | None = None,
    stop_by: str | None = None,
    gpu_hours: float | None = None,
    fidelity: Settings | None = None,
    policy: Policy = "last",
    objective: Words | None = None,
    reward: Reward = "soft",
    warm_start: Words | None = None,
    table: str | Path | None = None,
    dataset: str | None = None,
    mapping: str | Path | None = None,
    join: Words | None = None,
    space_settings: Settings | None = None,
    strategy_options: Settings | None = None,
    recipe_values: Settings | None = None,
    supernet_values: Settings | None = None,
    **terms: Any,
) -> Plan:
    """Work out a search from what a user said; raises a NasError naming the bad word and what is allowed.

    `epochs` are those of the supernet, or of each candidate where there is none; `recipe_values` set the training of
    candidates and of the chosen network (their `epochs` only the latter's); `supernet_values` that of the supernet.
    With a `table` (read by `mapping`, its columns for `dataset`, further values from `join`) nothing is trained, the
    space is the table's unless given, and `epochs` says how long the table's networks were trained.
    `fidelity` makes candidates cheaper (epochs, share, resolution); a `stopper` ends them early, by the value
    `stop_by` of their epochs. `terms` are those of `nasengine.executors`: workers, gpus_per_worker, cores_per_worker,
    address, job_timeout, retries, files.
    """
    check({"trials": trials, "epochs": epochs, "limit": limit}, {"hours": hours, "gpu_hours": gpu_hours}, order, policy)
    agreed = terms_of(terms, stopper)
    stopper = None if stopper == "none" else stopper
    if stop_by is not None and stopper is None:
        raise NasError(f"search: --stop-by {stop_by} came without a stopper; give --stopper asha, hyperband or median")
    evaluator = evaluator or ("train" if table is None else "table")
    plugins.find("evaluator", evaluator)
    plugins.find("executor", executor)
    is_gradient = hasattr(plugins.strategy_class(strategy), "draws")
    reading = {"dataset": dataset, "mapping": None if mapping is None else str(mapping), "join": several(join)}
    agree(strategy, is_gradient, evaluator, table, reading, bool(objective or warm_start), bool(supernet_values))
    if (fidelity or stopper) and (is_gradient or table is not None):
        raise NasError(
            f"search: {'--fidelity.…' if fidelity else '--stopper'} came; it is for candidates that are trained: not "
            f"for {'a supernet, whose epochs are --epochs' if is_gradient else 'a table, which answers at once'}"
        )
    words: dict[str, Any] = {
        "strategy_name": strategy, "strategy_options": dict(strategy_options or {}), "limit": limit, "seed": seed,
        "hours": hours, "gpu_hours": gpu_hours, "evaluator": evaluator, "executor": executor, "terms": agreed,
        "order": order, "name": name, "policy": policy, "warm_start": several(warm_start),
        "trials": trials or TRIALS, "stopper": stopper,
    }  # fmt: skip
    if is_gradient and agreed.workers > 1 and executor != "ray":
        raise NasError(
            f"search: --executor {executor} --workers {agreed.workers} came; a supernet is trained by several "
            "processes with --executor ray, or by one: leave --workers out"
        )
    if gpu_hours is not None and not (agreed.gpus_per_worker or torch.cuda.is_available()):
        raise NasError(
            f"search: --gpu-hours {gpu_hours} came, and there is no GPU here, nor --gpus-per-worker; use --hours"
        )
    goal = Goal.parse(several(objective), reward) if objective else None
    if table is not None:
        plan = _on_table(str(table), space, space_settings, reading, epochs, goal, words)
    else:
        asked = {} if epochs is None else {"epochs": epochs}
        values = (
            (asked, recipe_values or {}, supernet_values or {}) if is_gradient else (asked, recipe_values or {}, None)
        )
        lowered = {} if limit is None else {"limit": limit}
        words |= {"reuse": reuse, "goal": goal or ACCURACY, "fidelity": {**lowered, **fidelity_of(fidelity or {})}}
        words |= {"stop_by": stop_by or METRIC}
        plan = _on_images(space or SPACE, data, space_settings or {}, values, words)
    plan.strategy()
    return plan


def _on_table(
    name: str, space: str | None, settings: Settings | None, reading: Settings, epochs: int | None, goal: Goal | None,
    words: Settings,
) -> Plan:  # fmt: skip
    """A plan in which a table answers."""
    from nasengine.tables import load_table  # brings pandas

    table = load_table(name, space=space, space_settings=settings, **reading)
    goal = goal or Goal((Objective(table.objective),))
    table.at(0, epochs)
    for one in goal.objectives:
        table.best(one.name)
        if one.name == table.report:
            raise NasError(
                f"search: objective {one.name} came; table {table.name} keeps it for the report on the chosen network; "
                f"select by {table.objective}"
            )
    fidelity = {key: value for key, value in {**reading, "epochs": epochs}.items() if value}
    unused = recipe("proxy")
    return Plan(
        space=table.space, space_name=table.space_name, data_name=name, dataset=None, candidate=unused, final=unused,
        reuse=False, goal=goal, table=table, fidelity=fidelity, **words,
    )  # fmt: skip


def _on_images(space: str, data: Any, settings: Settings, values: Sequence[Settings | None], words: Settings) -> Plan:
    """A plan that trains; `values`: the epochs asked for, what sets the recipe, and the supernet's if there is one."""
    asked, chosen, of_supernet = values
    assert asked is not None and chosen is not None
    dataset = data_sets.load(data, limit=words["limit"])
    check_fidelity(words["fidelity"], dataset)
    during = {key: value for key, value in chosen.items() if key != "epochs"}
    supernet: dict[str, Any] = {}
    if of_supernet is not None:
        supernet["supernet_space"] = space_for(space, dataset, {**plugins.supernet_settings(space), **settings})
        supernet["supernet"] = recipe("supernet", **{**of_supernet, **asked})
        words, asked = {**words, "trials": 1}, {}
    candidate = recipe("proxy", **during, **asked)
    replace(candidate, epochs=words["fidelity"].get("epochs", candidate.epochs))  # fewer than its warm-up are refused
    return Plan(
        space=space_for(space, dataset, settings), space_name=space, dataset=dataset,
        data_name=str(data) if isinstance(data, str | Path) else dataset.name,
        candidate=candidate, final=recipe("final", **chosen), **supernet, **words,
    )  # fmt: skip
