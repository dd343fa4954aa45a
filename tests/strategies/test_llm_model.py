"""Language models behind HTTP: recorded replies of a real server, servers in trouble, and keys that never get out.

The replies in llm_replies.json are those of SmolLM2-135M-Instruct in llama.cpp's server to a search in NAS-Bench-201.
"""

import importlib.util
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nasengine.errors import NasError
from nasengine.search.propose import draws_of
from nasengine.search_spaces import nasbench201
from nasengine.strategies import _llm_conversation
from nasengine.strategies._llm_model import call, prices_of
from nasengine.testing.strategies import search
from tests.strategies.talkers import strategy, written

SPACE = nasbench201.space(input=(1, 8, 8), channels=4, cells=1)
RECORDED = json.loads(Path(__file__).with_name("llm_replies.json").read_text())
KEY = "sk-a-very-secret-key-0123456789"
Answer = Callable[[int], tuple[int, Any]]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(_llm_conversation, "PAUSES", (0.0, 0.0))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def server(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on this machine that answers its nth request with (status, JSON); its address and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(
                {"path": self.path, "headers": {name.lower(): word for name, word in self.headers.items()}, **body}
            )
            status, reply = answer(len(asked) - 1)
            data = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/v1", asked
        finally:
            listening.shutdown()
            thread.join()


def at(url, **options):
    return strategy(SPACE, "openai:smollm2", base_url=url, max_reply=300, **options)


def three_by_three(architecture):
    return sum(kept == ("nor_conv_3x3",) for kept in architecture.picks.values()) / 6


def test_recorded_replies_make_a_search():
    with server(lambda number: (200, RECORDED[number])) as (url, asked):
        made = at(url, temperature=1.5)
        results = search(made, three_by_three, 3)
    said = made.remarks()
    assert [one.kind for one in said] == ["prompt", "reply", *["prompt", "reply", "duplicate"] * 4]
    assert made.talk.budget.spent["calls"] == len(asked) == len(RECORDED)
    assert made.talk.budget.spent["tokens"] == sum(reply["usage"]["total_tokens"] for reply in RECORDED)
    assert len({one.architecture for one in results}) == 3
    assert results[0].architecture.picks["cell.edge_0_1.op"] == ("nor_conv_3x3",)


def test_requests_hold_the_schema_the_settings_and_the_conversation():
    with server(lambda number: (200, RECORDED[number])) as (url, asked):
        search(at(url, temperature=0.5), three_by_three, 2)
    first, _, third = asked
    assert first["path"] == "/v1/chat/completions" and first["model"] == "smollm2"
    assert (first["temperature"], first["max_completion_tokens"]) == (0.5, 300)
    sent = first["response_format"]["json_schema"]["schema"]
    assert sent["required"] == list(SPACE.decisions) and sent["additionalProperties"] is False
    assert [one["role"] for one in third["messages"]] == ["system", "user", "assistant", "user"]
    assert third["messages"][2]["content"] == RECORDED[1]["choices"][0]["message"]["content"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(status):
    def answer(number):
        return (status, {"error": {"message": "busy"}}) if number < 2 else (200, RECORDED[0])

    with server(answer) as (url, asked):
        made = at(url)
        made.ask(draws_of(0, 0))
    assert [one.kind for one in made.remarks()] == ["prompt", "failure", "failure", "reply"]
    assert len(asked) == 3 == made.talk.budget.spent["calls"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_server_that_refuses_the_first_call_ends_the_search(status):
    with (
        server(lambda number: (status, {"error": {"message": "not so"}})) as (url, asked),
        pytest.raises(NasError, match=rf"smollm2 at {url} does not answer: .*not so.* --strategy.base_url are right"),
    ):
        at(url).ask(draws_of(0, 0))
    assert len(asked) == 1


def test_a_server_that_refuses_later_calls_does_not():
    with server(lambda number: (200, RECORDED[0]) if not number else (401, {"error": {"message": "expired"}})) as (
        url,
        _,
    ):
        made = at(url)
        assert len(search(made, three_by_three, 4)) == 4
    warnings = [one.text for one in made.remarks() if one.kind == "warning"]
    assert len(warnings) == 3 and all("expired" in text for text in warnings)


def test_where_no_server_is_the_search_ends():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(NasError, match="does not answer: .*Connect.*see that the server runs"):
        at(url).ask(draws_of(0, 0))


def test_a_server_that_says_nonsense_is_done_without():
    with server(lambda number: (200, {"odd": [number]})) as (url, _):
        made = at(url)
        assert SPACE.faults(made.ask(draws_of(0, 0)).picks) == []
    assert [one.kind for one in made.remarks()] == ["prompt", *["failure"] * 3, "warning"]


def test_keys_are_sent_and_never_kept(monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    echo = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    leak = {**RECORDED[0], "choices": [{"index": 0, "message": {"role": "assistant", "content": f"{KEY} {{}}"}}]}
    with server(lambda number: (200, leak) if number < 2 else (500, echo)) as (url, asked):
        made = at(url)
        for number in range(2):
            made.ask(draws_of(0, number))
    assert asked[0]["headers"]["authorization"] == f"Bearer {KEY}"
    said = made.remarks()
    assert len(said) == 10 and "***" in said[1].text and "***" in said[-1].text
    kept = [repr(made), repr(vars(made)), repr(vars(made.talk)), repr(said), caplog.text]
    with server(lambda number: (401, echo)) as (url, _), pytest.raises(NasError) as caught:
        at(url).ask(draws_of(0, 0))
    kept += [str(caught.value), repr(caught.value), repr(caught.value.__context__), caplog.text]
    assert not [text for text in kept if KEY in text]
    assert "Incorrect API key provided: ***" in str(caught.value)


@pytest.mark.parametrize("url", ["http://me:secret@127.0.0.1/v1", "http://127.0.0.1/v1?key=secret"])
def test_an_address_with_a_key_in_it_is_refused(url):
    with pytest.raises(NasError, match="base_url holds more than an address") as caught:
        at(url)
    assert "secret" not in str(caught.value)


def test_anthropic_answers_by_a_tool(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    wanted = SPACE.sample(draws_of(3, 0))
    use = {"type": "tool_use", "id": "1", "name": "propose", "input": json.loads(written(wanted))}
    reply = {
        "id": "1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "content": [use],
        "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 5},
    }  # fmt: skip
    with server(lambda number: (200, reply)) as (url, asked):
        made = strategy(SPACE, "anthropic:claude-sonnet-5", base_url=url.removesuffix("/v1"), max_reply=300)
        assert made.ask(draws_of(0, 0)) == wanted
    assert asked[0]["path"] == "/v1/messages" and asked[0]["max_tokens"] == 300
    assert asked[0]["tools"][0]["input_schema"]["required"] == list(SPACE.decisions)
    assert KEY in str(asked[0]["headers"])


@pytest.mark.parametrize("name", ["ollama:qwen3", "vllm:qwen3"])
def test_servers_with_names_of_their_own(name):
    with server(lambda number: (200, RECORDED[0])) as (url, asked):
        made = strategy(SPACE, name, base_url=url)
        assert SPACE.faults(made.ask(draws_of(0, 0)).picks) == []
    assert asked[0]["path"] == "/v1/chat/completions" and asked[0]["model"] == "qwen3"
    assert asked[0]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("model", "url", "words"),
    [
        ("gpt-5-mini", None, 'model came as "gpt-5-mini"; give one with --strategy.model PROVIDER:NAME'),
        ("opena:gpt-5-mini", None, "Unknown provider: opena; give one with"),
        ("openai:gpt-5-mini", None, "Set the `OPENAI_API_KEY` environment variable$"),
        ("anthropic:claude-sonnet-5", None, "Set the `ANTHROPIC_API_KEY` environment variable$"),
        ("ollama:qwen3", None, "Set the `OLLAMA_BASE_URL` environment variable$"),
        ("openai:x", "127.0.0.1:8000", 'base_url came as "127.0.0.1:8000"; give one like http://'),
    ],
)
def test_models_that_cannot_be_made_say_what_is_missing(model, url, words):
    with pytest.raises(NasError, match=words):
        strategy(SPACE, model, base_url=url)


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NasError, match=r"pip install 'nasengine\[llm\]'"):
        strategy(SPACE, "openai:gpt-5-mini")


def test_prices_are_known_for_public_models_and_not_guessed_for_other_servers(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    public = strategy(SPACE, "openai:gpt-4o-mini")
    assert public.talk.budget.prices == pytest.approx((0.15, 0.6))  # OpenAI's list, dollars for a million tokens
    assert strategy(SPACE, "openai:gpt-4o-mini", base_url="http://127.0.0.1:1/v1").talk.budget.prices is None
    assert prices_of(public.talk.model, None, 1.0, 2.0) == (1.0, 2.0)


def test_a_reply_of_several_parts_is_one_text():
    from pydantic_ai import ModelResponse, TextPart, ThinkingPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    parts = [ThinkingPart("hidden"), TextPart("so:"), ToolCallPart("propose", {"a": 1})]
    model = FunctionModel(lambda messages, info: ModelResponse(parts))
    reply = call(model, "role", ["prompt"], {"type": "object"}, {"timeout": 5.0, "max_tokens": 10})
    assert reply.text == 'so:\n{"a":1}' and not reply.cut
