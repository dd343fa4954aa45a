"""A language model through pydantic-ai: which one, one call of it, its reply as text.

Keys come from the environment alone and stay there: whatever is kept or shown passes `clean`.
"""

import asyncio
import importlib.util
import os
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from nasengine.errors import NasError

LONGEST = 50_000  # characters of a reply that are read and kept
PASSING = (408, 409, 429)  # of the 4xx those that another call may not meet
SECRET = re.compile("KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|AUTH", re.IGNORECASE)
HOW = (
    "give one with --strategy.model PROVIDER:NAME, such as openai:gpt-5-mini or anthropic:claude-sonnet-5 with the key "
    "in OPENAI_API_KEY or ANTHROPIC_API_KEY, or ollama:qwen3; a server of your own (vLLM, llama.cpp, …) takes "
    "--strategy.model openai:NAME --strategy.base_url http://127.0.0.1:8000/v1"
)


class NoAnswer(Exception):
    """A call that brought nothing.

    Its kind is "wrong" (no such call can succeed), "away" (there is no server), "late" (the time was up; the reply may
    have to be paid for) or "busy" (anything else).
    """

    def __init__(self, text: str, kind: Literal["wrong", "away", "late", "busy"]):
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class Reply:
    text: str
    prompt_tokens: int  # 0 where the server does not count them
    reply_tokens: int
    cut: bool  # whether it ended at the limit on its length
    seconds: float


def model_of(model: Any, base_url: str | None) -> Any:
    """The pydantic-ai model of `provider:name`; NasError with what is missing where there is none."""
    if model is None or model == "":
        raise NasError(f"strategy llm: no language model is given; {HOW}")
    if importlib.util.find_spec("pydantic_ai") is None:
        raise NasError("strategy llm: the package pydantic-ai is not installed; pip install 'nasengine[llm]'")
    if not isinstance(model, str):
        return model
    if base_url is not None:
        _check(base_url)
    if ":" not in model:
        raise NasError(f'strategy llm: model came as "{model}"; {HOW}')
    return _inferred(model, base_url)


def _check(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NasError(f'strategy llm: base_url came as "{clean(base_url)}"; give one like http://127.0.0.1:8000/v1')
    if parts.username or parts.password or parts.query:
        raise NasError(
            "strategy llm: base_url holds more than an address; it is kept with the results, so leave keys and "
            "passwords out of it and put them into the environment (OPENAI_API_KEY)"
        )


def _inferred(model: str, base_url: str | None) -> Any:
    from pydantic_ai.exceptions import UserError
    from pydantic_ai.models import infer_model
    from pydantic_ai.providers import infer_provider, infer_provider_class

    if base_url is not None:  # other servers speak the older of OpenAI's two protocols
        model = re.sub("^openai:", "openai-chat:", model)

    def provider(name: str) -> Any:
        own: Any = infer_provider_class(name)
        return infer_provider(name) if base_url is None else own(base_url=base_url)

    try:
        return infer_model(model, provider_factory=provider)
    except (UserError, ImportError, ValueError, TypeError) as error:
        reason = clean(str(error)).split(" or pass")[0].rstrip(".")  # pass it: in Python, which is no use here
        advice = f"; {HOW}" if isinstance(error, ValueError) else ""
        raise NasError(f'strategy llm: model "{clean(model)}" cannot be used: {reason}{advice}') from None


def prices_of(
    model: Any, base_url: str | None, prompt: float | None, reply: float | None
) -> tuple[float, float] | None:
    """Dollars for a million tokens of prompt and of reply: as given, or from the list that comes with pydantic-ai."""
    if (prompt is None) != (reply is None) or min(prompt or 0.0, reply or 0.0) < 0:
        raise NasError(
            f"strategy llm: dollars_per_million_input={prompt}, dollars_per_million_output={reply} came; "
            "give both, each 0 or more"
        )
    return _listed_prices(model, base_url) if prompt is None or reply is None else (prompt, reply)


def _listed_prices(model: Any, base_url: str | None) -> tuple[float, float] | None:
    from genai_prices import Usage, calc_price

    where: dict[str, Any] = {"provider_id": model.system} if base_url is None else {"provider_api_url": base_url}
    try:  # by the thousand: long prompts have other prices
        usages = Usage(input_tokens=1000), Usage(output_tokens=1000)
        prompt, reply = (float(calc_price(one, model.model_name, **where).total_price) * 1e3 for one in usages)
    except LookupError:
        return None
    return prompt, reply


def call(model: Any, role: str, turns: Sequence[str], form: dict[str, Any], settings: dict[str, Any]) -> Reply:
    """One call: `turns` are prompt, reply, prompt, … ; raises NoAnswer whatever goes wrong."""
    from pydantic_ai import ModelRequest, ModelResponse, TextPart

    messages = [
        ModelResponse([TextPart(text)]) if number % 2 else ModelRequest.user_text_prompt(text, instructions=role)
        for number, text in enumerate(turns)
    ]
    wanted = _wanted(model, form)
    start = time.monotonic()
    try:
        response = _finished(lambda: _request(model, messages, wanted, settings))
    except TimeoutError:
        raise NoAnswer(f"no answer within {settings['timeout']:g} seconds", "late") from None
    except Exception as error:  # a model may be anybody's code; whatever it raises, the search goes on
        raise NoAnswer(_words(error), _kind(error)) from None
    return _reply(response, time.monotonic() - start)


def _words(error: BaseException) -> str:
    """An error, and what is at its bottom."""
    words, cause = f"{type(error).__name__}: {error}", error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return clean(words if cause is error else f"{words} ({cause})")[:1000]


def _kind(error: Exception) -> Literal["wrong", "away", "late", "busy"]:
    from pydantic_ai.exceptions import UserError

    status = getattr(error, "status_code", None)
    if isinstance(error, UserError) or (status is not None and 400 <= status < 500 and status not in PASSING):
        return "wrong"
    phase = getattr(error, "phase", None)  # of a connection that failed
    return "away" if phase == "connect" else "late" if phase in ("read", "write") else "busy"


async def _request(model: Any, messages: Any, wanted: Any, settings: Any) -> Any:
    from pydantic_ai.direct import model_request

    async with model:  # its connections are closed again: every call has an event loop of its own
        request = model_request(model, messages, model_settings=settings, model_request_parameters=wanted)
        return await asyncio.wait_for(request, settings["timeout"])


def _wanted(model: Any, form: dict[str, Any]) -> Any:
    """Structured output: by JSON schema where the server takes one, else (Anthropic) as the arguments of a tool."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    if model.profile.get("supports_json_schema_output") and model.system != "anthropic":
        return ModelRequestParameters(output_mode="native", output_object=OutputObjectDefinition(form, "proposal"))
    tool = ToolDefinition(name="propose", description="Propose one.", parameters_json_schema=form, kind="output")
    return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)


def _finished(make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine to its end; where this thread has a running loop (a notebook), in a thread beside it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(lambda: asyncio.run(make())).result()


def _reply(response: Any, seconds: float) -> Reply:
    """The text of a response, or the arguments of its tool call."""
    texts = [
        part.content if part.part_kind == "text" else part.args_as_json_str()
        for part in response.parts
        if part.part_kind in ("text", "tool-call")
    ]
    usage, cut = response.usage, response.finish_reason == "length"
    return Reply(clean("\n".join(texts))[:LONGEST], usage.input_tokens, usage.output_tokens, cut, seconds)


def clean(text: str) -> str:
    """Text that any database takes, without anything secret of the environment."""
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= 8:
            text = text.replace(value, "***")
    return text.encode("utf-8", "replace").decode().replace("\0", "")
