"""The flags of the command line agree with what they are handed to."""

import inspect
from dataclasses import fields
from pathlib import Path

from nasengine import plan
from nasengine.console.flags import DB, SearchFlags, named
from nasengine.ledger import DEFAULT


def test_the_usual_database_is_the_ledgers() -> None:
    assert Path(DB) == DEFAULT
    assert named(DB) == DEFAULT and named("sqlite:///x.db") == "sqlite:///x.db"


def test_flags_of_a_search_are_the_parameters_of_a_plan_with_their_defaults() -> None:
    parameters = inspect.signature(plan.make).parameters
    dotted = {"space_settings", "strategy_options", "recipe_values", "supernet_values"}
    assert {flag.name for flag in fields(SearchFlags)} == parameters.keys() - dotted
    assert {flag.name: flag.default for flag in fields(SearchFlags)} == {
        name: parameter.default for name, parameter in parameters.items() if name not in dotted
    }
