"""What a language model is told: the task, the space, and the results so far. Numbers and our own names, nothing else.

Errors of failed trainings are left out, so that no text from outside gets into a prompt.
"""

import json
from collections.abc import Sequence
from typing import Any

from nasengine.interpreters import glossary, prose
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.strategies._llm_names import Names

ROLE = "You are an expert in neural architecture search."
TASK = (
    "Propose the next network to train. Every network that you propose is trained and measured; its value comes back, "
    "and larger is better. Find the network with the largest value."
)
NEUTRAL_ROLE = "You are an expert in optimisation."
NEUTRAL_TASK = (
    "Propose the next set of answers to the questions below. Every set that you propose is measured; its value comes "
    "back, and larger is better. Find the set of answers with the largest value."
)
FIRST = "There are no results yet. Propose the first one. Reply with its JSON object and nothing else."
NEXT = (
    "Which answers do the best ones share, and which do the worst? Propose one that is not listed here, and that you "
    "expect to be better than all of them. Reply with its JSON object and nothing else."
)


def rules_of(names: Names, anonymous: bool) -> str:
    """The part of the prompt that stays the same."""
    if anonymous:
        return f"{NEUTRAL_TASK}\n\nThe questions:\n{prose.questions(names.space)}"
    explained = [f"- {option}: {sentence}" for option, sentence in glossary.explanations(names.original).items()]
    options = ["", "What the options are:", *explained] if explained else []
    return "\n".join([TASK, "", prose.describe(names.space), *options])


def prompt_of(rules: str, names: Names, told: Sequence[Told], best: int, latest: int) -> str:
    """The whole prompt: the rules, the best and the latest results, and what is wanted now."""
    shown = _shown(told, best, latest)
    if not shown:
        return f"{rules}\n\n{FIRST}"
    few = f"the best {best} and the latest {latest} of {len(told)}" if len(shown) < len(told) else f"all {len(told)}"
    lines = [f"{measured(one)} {_words(names, one.architecture)}" for one in shown]
    return "\n".join([rules, "", f"Results so far, {few}, the best first, each after its value:", *lines, "", NEXT])


def _shown(told: Sequence[Told], best: int, latest: int) -> list[Told]:
    """The best, best first; then those of the latest that are not among them, with failed ones."""
    ranked = sorted((one for one in told if one.value is not None), key=lambda one: -(one.value or 0.0))[:best]
    numbers = {one.number for one in ranked}
    newest = told[-latest:] if latest else []
    return ranked + [one for one in newest if one.number not in numbers]


def measured(one: Told) -> str:
    """A value in words; with several objectives all of them."""
    if one.value is None:
        return f"breaks a bound by {one.violation:.0%}" if one.violation else "failed"
    several = f" ({', '.join(f'{value:.6g}' for value in one.objectives)})" if len(one.objectives) > 1 else ""
    return f"{one.value:.6g}{several}"


def _words(names: Names, architecture: Architecture) -> str:
    return json.dumps(names.told(architecture).to_json())


def form_of(space: Space) -> dict[str, Any]:
    """The reply's JSON schema as every provider takes it: all questions present, null where one is not asked.

    Structured output of servers knows no conditions between properties; `prose.read` checks those.
    """
    whole = prose.schema(space)
    properties = {name: dict(of) for name, of in whole["properties"].items()}
    for name, of in properties.items():
        of.pop("uniqueItems")
        of.pop("description")  # stands in the prompt
        if name not in whole["required"]:
            properties[name] = {"anyOf": [of, {"type": "null"}]}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
