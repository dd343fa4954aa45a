"""One search in full, as its plan: what `nasengine.plan.make` works out and the engine carries out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nasengine import plugins
from nasengine.executors._terms import Terms
from nasengine.job import Job
from nasengine.ledger.queries import METRIC
from nasengine.plan_supernet import Inherited
from nasengine.plan_words import LOWERED
from nasengine.search.objective import ACCURACY, Goal
from nasengine.search.propose import Order
from nasengine.search.relax import Policy
from nasengine.space import Architecture, Space
from nasengine.tables import Table
from nasengine.training import data as data_sets
from nasengine.training.recipe import Recipe

if TYPE_CHECKING:
    from nasengine.hardware.figures import Figures

NOT_FINAL = (*LOWERED, "proxy", "supernet", "batches")  # fidelities of candidates that the final training has not


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
    inherited: Inherited | None = None  # given: candidates take their weights from this supernet
    final_by: str = (
        "train"  # what the chosen network gets; "finetune" begins with the supernet's weights, "inherit" keeps
    )
    figures: "Figures | None" = None  # given: what is known of a candidate before it is trained
    words: Mapping[str, Any] | None = None  # what it was made from, as `nasengine.plan.make` was asked

    @property
    def workers(self) -> int:
        """How many jobs run at once."""
        return self.terms.workers

    @property
    def candidate_epochs(self) -> int:
        """How many epochs a candidate is trained."""
        return int(self.fidelity.get("epochs", self.candidate.epochs))

    def settings_of(self, final: bool) -> dict[str, Any]:
        """The settings that a network is built with: candidates may see smaller images, or be cut from a supernet."""
        if self.inherited is not None and not (final and self.final_evaluator == "train"):
            settings = dict(self.inherited.built_with)
        else:
            settings = dict(self.space.settings)
        if not final and "resolution" in self.fidelity:
            side = self.fidelity["resolution"]
            settings["input"] = (self.data.input[0], side, side)
        return settings

    def job(self, number: int, architecture: Architecture, *, final: bool = False) -> Job:
        """A candidate to be evaluated, or the chosen network to be trained and measured at last."""
        by_weights = self.inherited is not None and not (final and self.final_evaluator == "train")
        names = {} if self.figures is None else self.figures.measure(architecture)
        return Job(
            number=number, space=self.space_name, settings=self.settings_of(final),
            architecture=architecture.to_json(), evaluator=self.final_evaluator if final else self.evaluator,
            recipe=(self.final if final else self.candidate).to_json(), data=self.data_name,
            fidelity=self.final_fidelity if final else self.fidelity, seed=self.seed, final=final,
            weights=self.inherited.weights if by_weights and self.inherited else None, figures=names,
        )  # fmt: skip

    @property
    def data(self) -> data_sets.Dataset:
        """The data set; not asked for where a table answers."""
        assert self.dataset is not None, f"table {self.data_name} has no images"
        return self.dataset

    @property
    def final_evaluator(self) -> str:
        """What measures the chosen network."""
        if self.table is not None:
            return self.evaluator
        return "inherit" if self.final_by == "inherit" else "train"

    @property
    def final_fidelity(self) -> dict[str, Any]:
        """At what fidelity: the highest."""
        dropped = LOWERED if self.final_by == "inherit" else NOT_FINAL
        return {key: value for key, value in self.fidelity.items() if key not in dropped}

    @property
    def is_gradient(self) -> bool:
        """Whether the strategy learns gates inside a supernet, rather than proposing architectures."""
        return self.supernet_space is not None

    @property
    def is_sampler(self) -> bool:
        """Whether it trains a supernet for others to search: it chooses nothing itself."""
        return self.is_gradient and not hasattr(plugins.strategy_class(self.strategy_name), "settle")

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
            "fidelity": self._recorded_fidelity() if self.table is None else {},
            "stopper": {"kind": self.stopper, "metric": self.stop_by} if self.stopper else None,
            "words": self.words,
        }

    def _recorded_fidelity(self) -> dict[str, Any]:
        """What makes a candidate cheaper than the final training, a supernet by its search's name."""
        kept = {key: value for key, value in self.fidelity.items() if key in NOT_FINAL}
        if self.inherited is not None:
            kept |= {"supernet": self.inherited.search, "final": self.final_by}
        return kept
