"""A real language model, small enough for any machine: SmolLM2-135M-Instruct in llama.cpp's own server.

It is far too small to propose well. What is asserted is that prompts reach a real server, that its replies come back
as legal proposals, and that everything is counted; never how good they are.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from nasengine.layers import AvgPool, Identity, MaxPool
from nasengine.space import Space, chain, choose, op
from nasengine.testing.strategies import search
from tests.strategies.talkers import strategy

SERVER = """
import sys, time
import xllamacpp

params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 2048, 1, 1
server = xllamacpp.Server(params)
print("listening", flush=True)
time.sleep(600)
"""


@pytest.fixture
def address(needs) -> Iterator[str]:
    """The server's, until the test ends."""
    model = next(needs("small-llm").glob("*.gguf"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", SERVER, str(model), str(port)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "listening\n"
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


@pytest.mark.slow
def test_a_small_model_searches_a_small_space(address):
    pool = choose("pool", average=op(AvgPool, kernel=3), maximum=op(MaxPool, kernel=choose("kernel", 3, 5)))
    space = Space("small", (1, 8, 8), chain(one=pool, two=choose("op", pool=op(AvgPool, kernel=3), none=op(Identity))))
    made = strategy(space, "openai:smollm2", base_url=address, max_reply=120, timeout=120.0, temperature=0.0)
    start = time.monotonic()
    results = search(made, lambda one: len(one.picks) / 3, 3)
    said = made.remarks()
    replies = [one for one in said if one.kind == "reply"]
    assert [space.faults(one.architecture.picks) for one in results] == [[]] * 3
    assert len({one.architecture for one in results}) == 3
    assert len(replies) >= 3 and not [one for one in said if one.kind == "failure"]
    assert all(one.text.lstrip().startswith("{") for one in replies)  # the server keeps to the schema
    assert sum(one.values["tokens"] for one in replies) == made.talk.budget.spent["tokens"] > 300
    assert sum(one.values["seconds"] for one in replies) < time.monotonic() - start
