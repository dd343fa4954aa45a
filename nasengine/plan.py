"""Works out what a search is going to do, and checks it, before anything runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.evaluators.inherit import BATCHES
from nasengine.ledger import DEFAULT
from nasengine.plan_goal import check_output, check_taught, suited, within_bounds
from nasengine.plan_record import remembered
from nasengine.plan_supernet import Inherited, check_words, inherited
from nasengine.plan_words import Settings, Words, agree, check, fidelity_of, several, terms_of
from nasengine.planned import Plan
from nasengine.search.objective import Goal, Objective, Reward
from nasengine.search.propose import Order
from nasengine.search.relax import Policy
from nasengine.space import Space
from nasengine.training import data as data_sets
from nasengine.training.fidelity import NAMES, check_fidelity
from nasengine.training.recipe import recipe
from nasengine.training.tasks import check_recipe, task_of

OF_THE_DATA = ("input", "classes")  # settings of a space that data decides
TRIALS = 20  # proposals of an ask/tell search, unless said otherwise
SPACE = "darts"
DATA = "digits"


def space_for(name: str, dataset: data_sets.Dataset, settings: Settings) -> Space:
    """A space with `input` and `classes` of the data, where the settings do not say otherwise."""
    return plugins.load_space(name, {"input": dataset.input, "classes": dataset.classes, **settings})


@remembered
def make(
    space: str | None = None,
    strategy: str = "pr-darts",
    data: Any = None,
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
    reward: Reward = "constraint",
    warm_start: Words | None = None,
    table: str | Path | None = None,
    dataset: str | None = None,
    mapping: str | Path | None = None,
    join: Words | None = None,
    supernet: str | None = None,
    final_by: str = "train",
    proxy: str | None = None,
    proxy_options: Settings | None = None,
    space_settings: Settings | None = None,
    strategy_options: Settings | None = None,
    recipe_values: Settings | None = None,
    supernet_values: Settings | None = None,
    db: str | Path = DEFAULT,
    **terms: Any,
) -> Plan:
    """Work out a search from what a user said; raises a NasError naming the bad word and what is allowed.

    `epochs` are those of the supernet, or of each candidate where there is none; `recipe_values` set the training of
    candidates and of the chosen network (their `epochs` only the latter's); `supernet_values` that of the supernet.
    With a `table` (read by `mapping`, its columns for `dataset`, further values from `join`) nothing is trained, the
    space is the table's unless given, and `epochs` says how long the table's networks were trained.
    With a `supernet`, the name of a search in `db` that trained one, candidates take its weights; space, settings and
    data are its own, as is the limit without another one; `final_by="finetune"` begins the chosen network's training
    with its weights, "inherit" keeps them.
    With a `proxy` candidates get a score without training. `fidelity` makes candidates cheaper (epochs, share,
    resolution; batches for a supernet's norms); a `stopper` ends them early, by the value `stop_by` of their epochs.
    `terms` are those of `nasengine.executors`: workers, gpus_per_worker, cores_per_worker, address, job_timeout,
    retries, files.
    """
    check({"trials": trials, "epochs": epochs, "limit": limit}, {"hours": hours, "gpu_hours": gpu_hours}, order, policy)
    agreed = terms_of(terms, stopper)
    stopper = None if stopper == "none" else stopper
    means = {"table": table, "inherit": supernet, "proxy": proxy}
    evaluator = evaluator or next((kind for kind, given in means.items() if given is not None), "train")
    plugins.find("evaluator", evaluator)
    plugins.find("executor", executor)
    is_gradient = hasattr(plugins.strategy_class(strategy), "draws")
    reading = {"dataset": dataset, "mapping": None if mapping is None else str(mapping), "join": several(join)}
    agree(
        strategy, is_gradient, evaluator, means, reading, warm_start=bool(warm_start), supernet=bool(supernet_values),
        cheaper="--fidelity.…" if fidelity else "--stopper" if stopper else "", stop_by=stopper is None and stop_by,
        final_by=final_by, options=bool(proxy_options), executor=executor, workers=agreed.workers,
    )  # fmt: skip
    found = None if supernet is None else inherited(supernet, db, agreed.files)
    if found is not None:
        check_words({"space": space, "settings": space_settings}, found)
        limit = found.limit if limit is None and data in (None, found.data) else limit
        space, data, space_settings = found.space, data or found.data, _settings_of(found)
    if gpu_hours is not None and not (agreed.gpus_per_worker or torch.cuda.is_available()):
        raise NasError(
            f"search: --gpu-hours {gpu_hours} came, and there is no GPU here, nor --gpus-per-worker; use --hours"
        )
    goal = Goal.parse(several(objective), reward) if objective else None
    words: dict[str, Any] = {
        "strategy_name": strategy, "strategy_options": dict(strategy_options or {}), "limit": limit, "seed": seed,
        "hours": hours, "gpu_hours": gpu_hours, "evaluator": evaluator, "executor": executor, "terms": agreed,
        "order": order, "name": name, "policy": policy, "warm_start": several(warm_start), "trials": trials or TRIALS,
        "stopper": stopper,
    }  # fmt: skip
    if table is not None:
        plan = _on_table(str(table), space, space_settings, reading, epochs, goal, words)
    else:
        words |= {"reuse": reuse, "goal": goal, "stop_by": stop_by, "final_by": final_by}
        words["fidelity"] = ({} if limit is None else {"limit": limit}) | fidelity_of(fidelity or {})
        if proxy is not None:
            words |= _by_proxy(proxy, proxy_options or {}, goal, words["fidelity"])
        if found is not None:
            told = {"batches": BATCHES, **words["fidelity"], "supernet": found.fidelity()}
            words |= {"inherited": found, "fidelity": told}
        asked = {} if epochs is None else {"epochs": epochs}
        of_supernet = (supernet_values or {}) if is_gradient else None
        values = (asked, recipe_values or {}, of_supernet)
        plan = _on_images(space or SPACE, data or DATA, space_settings or {}, values, words)
    plan = within_bounds(plan, db)
    made = plan.strategy()
    if plan.dataset is not None:
        check_taught(made, strategy, plan.dataset)
    return plan


def _settings_of(found: Inherited) -> Settings:
    return {key: value for key, value in found.settings.items() if key not in OF_THE_DATA}


def _by_proxy(name: str, options: Settings, goal: Goal | None, fidelity: Settings) -> dict[str, Any]:
    """The words of a search by a score without training: that score is its goal, unless told otherwise."""
    from nasengine.evaluators.proxy import proxy_options

    read = proxy_options(name, options)
    score = Goal((Objective(name.lower().replace("-", "_")),))
    return {"goal": goal or score, "fidelity": {**fidelity, "proxy": {**read, "name": name}}}


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
    words, task = suited(words, dataset, of_supernet is not None), task_of(dataset)
    check_fidelity({key: value for key, value in words["fidelity"].items() if key in NAMES}, dataset)
    during = {key: value for key, value in chosen.items() if key != "epochs"}
    supernet: dict[str, Any] = {}
    if of_supernet is not None:
        supernet["supernet_space"] = space_for(space, dataset, {**plugins.supernet_settings(space), **settings})
        published = getattr(plugins.strategy_class(words["strategy_name"]), "training", {})
        supernet["supernet"] = recipe("supernet", **{**published, **of_supernet, **asked})
        words, asked = {**words, "trials": 1}, {}
    candidate, final = recipe("proxy", **during, **asked), recipe("final", **{**task.usual, **chosen})
    for made in (candidate, final, *filter(None, [supernet.get("supernet")])):
        check_recipe(task, made)
    replace(candidate, epochs=words["fidelity"].get("epochs", candidate.epochs))  # fewer than its warm-up are refused
    built = space_for(space, dataset, settings)
    check_output(built, dataset)
    return Plan(
        space=built, space_name=space, dataset=dataset,
        data_name=str(data) if isinstance(data, str | Path) else dataset.name,
        candidate=candidate, final=final, **supernet, **words,
    )  # fmt: skip
