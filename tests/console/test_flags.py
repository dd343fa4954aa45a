"""The flags of the command line agree with what they are handed to."""

import inspect
from dataclasses import fields
from pathlib import Path

from nasengine import plan
from nasengine.console.flags import DB, SearchFlags, named
from nasengine.executors._terms import Terms
from nasengine.ledger import DEFAULT


def test_the_usual_database_is_the_ledgers() -> None:
    assert Path(DB) == DEFAULT
    assert named(DB) == DEFAULT and named("sqlite:///x.db") == "sqlite:///x.db"


def test_flags_of_a_search_are_the_parameters_of_a_plan_and_its_terms_with_their_defaults() -> None:
    of_plan = {
        name: one.default
        for name, one in inspect.signature(plan.make).parameters.items()
        if name not in ("terms", "db")
    }
    of_terms = {one.name: one.default for one in fields(Terms) if one.name != "verdicts"}  # the stopper decides that
    dotted = {"space_settings", "strategy_options", "recipe_values", "supernet_values", "fidelity", "proxy_options"}
    wanted = {name: default for name, default in {**of_plan, **of_terms}.items() if name not in dotted}
    assert {flag.name: flag.default for flag in fields(SearchFlags)} == wanted
