"""Language models for tests: functions that get a prompt and give a reply."""

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic_ai import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel

from nasengine.plugins import load_strategy
from nasengine.space import Architecture, Space

RESULT = re.compile(r"^(-?[\d.e+-]+|failed)(?: \(.*?\))? (\{.*\})$", re.MULTILINE)


def prompts_of(messages: Sequence[Any]) -> list[str]:
    """What was asked in a conversation, its latest prompt last."""
    return [part.content for message in messages for part in message.parts if part.part_kind == "user-prompt"]


def talker(answer: Callable[[list[str]], str]) -> FunctionModel:
    """A model whose reply `answer` makes of the prompts of a conversation."""
    return FunctionModel(lambda messages, info: ModelResponse([TextPart(answer(prompts_of(messages)))]))


def saying(*replies: str | Exception) -> FunctionModel:
    """A model that gives these replies in turn, the last one forever; exceptions are raised."""
    waiting = list(replies)

    def answer(prompts: list[str]) -> str:
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    return talker(answer)


def sensible(space: Space) -> FunctionModel:
    """A model that changes one answer of the best result in its prompt."""

    def answer(prompts: list[str]) -> str:
        rng = random.Random(" ".join(prompts))
        results = RESULT.findall(prompts[0])
        best = Architecture.from_json(json.loads(results[0][1])) if results else None
        return written(space.sample(rng) if best is None else space.mutate(best, rng))

    return talker(answer)


def written(architecture: Architecture) -> str:
    """An architecture as a reply."""
    return json.dumps(architecture.to_json())


def strategy(space: Space, model: Any, **options: Any) -> Any:
    """The strategy with this model."""
    return load_strategy("llm", space, {"model": model, **options})
