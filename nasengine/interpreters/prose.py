"""A space in words and as a JSON schema, and a reply in words read back: for people and language models."""

import json
import random
import re
from collections.abc import Collection, Mapping
from typing import Any

from nasengine.errors import SpaceError
from nasengine.space import Architecture, Decision, Space

STARTS = 1000  # braces from which a reply is read, the last ones: a hostile one has as many as it has characters
PLAIN_KINDS = ("edge", "value", "other")  # say nothing about an option


def describe(space: Space) -> str:
    """Every question that an architecture answers, what may be answered and when, and the form of a reply."""
    channels, *size = space.input
    shape = f"{channels} channels of {' by '.join(map(str, size))}" if size else f"{channels} numbers"
    heading = f"Space {space.name}: networks for inputs of {shape}. An architecture answers these questions:"
    return f"{heading}\n{questions(space)}"


def questions(space: Space) -> str:
    """What `describe` says less its heading, which tells what the questions are about."""
    lines = [f"- {name}: {_question(decision)}" for name, decision in space.decisions.items()]
    if space.where is not None:
        lines.append(f"Legal only under this condition: {space.condition_words()}.")
    example = json.dumps(space.sample(random.Random(0)).to_json())
    lines.append(
        "Reply with one JSON object: the name of each question that is asked, with the list of options kept; "
        f"questions that are not asked are left out. For example:\n{example}"
    )
    return "\n".join(lines)


def _question(decision: Decision) -> str:
    kinds = decision.kinds
    options = ", ".join(
        option if kinds[option] in (*PLAIN_KINDS, option) else f"{option} ({kinds[option]})"
        for option in decision.options
    )
    return f"{_number(decision)} of {options}{_condition(decision)}"


def _number(decision: Decision) -> str:
    least, most = decision.keep
    return str(least) if least == most else f"{least} to {most}"


def _condition(decision: Decision) -> str:
    alternatives = [
        " and ".join(f"{name} keeps {' or '.join(options)}" for name, options in path) for path in sorted(decision.when)
    ]
    return f"; asked when {', or when '.join(alternatives)}" if alternatives else ""


def schema(space: Space) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a legal reply: lists of options by question, asked or not as the others say.

    A condition of the whole space (`where`) is in the description alone.
    """
    made: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"an architecture of space {space.name}",
        "type": "object",
        "properties": {name: _list(decision) for name, decision in space.decisions.items()},
        "required": [name for name, decision in space.decisions.items() if not decision.when],
        "additionalProperties": False,
    }
    if space.where is not None:
        made["description"] = f"Legal only under this condition: {space.condition_words()}."
    rules = [_rule(decision) for decision in space.decisions.values() if decision.when]
    return {**made, "allOf": rules} if rules else made


def _list(decision: Decision) -> dict[str, Any]:
    least, most = decision.keep
    items = {"type": "string", "enum": list(decision.options)}
    return {
        "type": "array", "items": items, "minItems": least, "maxItems": most, "uniqueItems": True,
        "description": _question(decision),
    }  # fmt: skip


def _rule(decision: Decision) -> dict[str, Any]:
    """Asked under its condition, absent otherwise."""
    holds = {"anyOf": [{"allOf": [_kept(*condition) for condition in path]} for path in sorted(decision.when)]}
    return {
        "if": holds,
        "then": {"required": [decision.name]},
        "else": {"properties": {decision.name: False}},
    }


def _kept(name: str, options: tuple[str, ...]) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"contains": {"enum": list(options)}}}}


def read(space: Space, reply: str | Mapping[str, Any]) -> Architecture:
    """The architecture of a reply: a dictionary, or JSON that stands anywhere in a text.

    One option may stand without its list, values for their names, and null for what is not asked. Raises SpaceError
    with every fault in it.
    """
    picks, faults = _picks(space, reply)
    faults += space.faults(picks)
    if faults:
        raise SpaceError(f"reply for space {space.name}: {'; '.join(faults)}")
    return space.check(picks)


def wishes(space: Space, reply: str | Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a faulty reply wants, for `Space.follow`; raises SpaceError where it holds no JSON object."""
    return _picks(space, reply)[0]


def _picks(space: Space, reply: str | Mapping[str, Any]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
    picks: dict[str, tuple[str, ...]] = {}
    faults = []
    for name, kept in _answers(space, text):
        if name in picks:
            faults.append(f"{name} is answered twice; give one list of options")
        options = space.decisions[name].options if name in space.decisions else ()
        if kept is None and "None" not in options:
            continue
        picks[name] = tuple(_word(option, options) for option in (kept if isinstance(kept, list) else [kept]))
    return picks, faults


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object with every name as often as it stands there."""


def _answers(space: Space, text: str) -> _Pairs:
    """The object in the text that answers most of the space's questions, the last one among equals."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs)
    found: list[_Pairs] = []
    trouble = "there is none"
    for start in [match.start() for match in re.finditer("{", text)][-STARTS:]:
        try:
            found.append(decoder.raw_decode(text, start)[0])
        except json.JSONDecodeError as error:
            trouble = f"{error.msg} at line {error.lineno}, column {error.colno}"
        except (ValueError, RecursionError):  # a number of thousands of digits, lists thousands deep
            trouble = "a number too long, or lists too deep"
    if not found:
        raise SpaceError(
            f"reply for space {space.name}: it holds no JSON object ({trouble}); "
            'give one like {"question": ["option"], …}'
        )
    return max(reversed(found), key=lambda pairs: len({name for name, _ in pairs} & space.decisions.keys()))


def _word(option: Any, options: Collection[str]) -> str:
    """An option's name: values are named by their words."""
    words = [str(option)]
    if isinstance(option, _Pairs):
        words = [json.dumps(dict(option))]
    elif isinstance(option, float) and option.is_integer():
        words.append(str(int(option)))
    return next((word for word in words if word in options), words[-1])
