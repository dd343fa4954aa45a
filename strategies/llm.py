"""A language model proposes: it reads the space in words and what was measured, and answers with the next architecture.

GENIUS (Zheng et al., 2023, https://arxiv.org/abs/2304.10970): GPT-4 as a black-box optimiser, here for any space and
any model. Every proposal is asked for anew, with the task, the space, what its options are, and past results. A reply
is read and checked by code: its faults, or that it is known already, are told back once; what is still wrong then is
repaired, keeping the answers that are legal, and what is still known is replaced by a mutation of the best.

Departures: of many results the best and the latest are shown, not all; replies follow a JSON schema; the temperature
is the provider's own unless given (GENIUS has 0). docs/llm.md says what is sent, and to whom.
"""

import random
from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Any, Literal

from nasengine.errors import NasError, SpaceError
from nasengine.interpreters import prose
from nasengine.search.strategy import Remark, Told
from nasengine.space import Architecture, Space
from nasengine.space.unseen import Unseen
from nasengine.strategies._llm_budget import Budget
from nasengine.strategies._llm_conversation import SPENT, Conversation
from nasengine.strategies._llm_model import model_of, prices_of
from nasengine.strategies._llm_names import neutral_names, own_names
from nasengine.strategies._llm_task import NEUTRAL_ROLE, ROLE, form_of, measured, prompt_of, rules_of

SENT_BACK = 4000  # characters of a faulty reply, and of its faults, that the model sees again
MAY_BE_0 = ("best", "latest", "temperature")
MUTATIONS = 50  # of the best, before any architecture not seen will do


class LanguageModel:
    """Asks a language model for every proposal; without an answer it mutates the best.

    model: PROVIDER:NAME, such as openai:gpt-5-mini, anthropic:claude-sonnet-5 or ollama:qwen3
    base_url: address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1
    temperature: randomness of replies; the provider's own where not given
    timeout: seconds to wait for a reply
    best: how many of the best results a prompt shows
    latest: how many of the latest results it shows besides
    max_reply: tokens of a reply, thinking included
    max_calls: calls after which the search ends
    max_tokens: tokens of prompts and replies after which it ends
    max_dollars: money after which it ends
    dollars_per_million_input: price of a million tokens of prompt, where pydantic-ai does not know it
    dollars_per_million_output: price of a million tokens of reply
    known: what counts as known already: an equal network, or (for tables, by row) equal picks alone
    anonymous: whether decisions and options get neutral names and another order, and no explanations
    anonymous_seed: which names and order
    """

    def __init__(
        self, space: Space, model: str | Any | None = None, base_url: str | None = None,
        temperature: float | None = None, timeout: float = 60.0, best: int = 20, latest: int = 10,
        max_reply: int = 4000, max_calls: int | None = None, max_tokens: int | None = None,
        max_dollars: float | None = None, dollars_per_million_input: float | None = None,
        dollars_per_million_output: float | None = None, known: Literal["network", "picks"] = "network",
        anonymous: bool = False, anonymous_seed: int = 0,
    ):  # fmt: skip
        _check(
            timeout=timeout, best=best, latest=latest, temperature=temperature, max_reply=max_reply,
            max_calls=max_calls, max_tokens=max_tokens, max_dollars=max_dollars,
        )  # fmt: skip
        self.space, self.by, self.best, self.latest = space, known, best, latest
        self.names = neutral_names(space, anonymous_seed) if anonymous else own_names(space)
        self.rules = rules_of(self.names, anonymous)
        made = model_of(model, base_url)
        prices = prices_of(made, base_url, dollars_per_million_input, dollars_per_million_output)
        self.talk = Conversation(
            made, base_url, NEUTRAL_ROLE if anonymous else ROLE, form_of(self.names.space),
            _settings(timeout, max_reply, temperature), Budget(max_calls, max_tokens, max_dollars, prices),
        )  # fmt: skip
        self.told: list[Told] = []
        self.values: dict[Hashable, str] = {}  # in words, of every network that is known
        self.unseen = Unseen(space)
        self.answers: dict[tuple[int, int], Architecture | None] = {}  # by how much was told, and the random numbers

    def ask(self, rng: random.Random) -> Architecture | None:
        """The model's proposal; asked again with the same random numbers, the same without a call. None: it is over."""
        key = len(self.told), rng.getrandbits(64)
        if key not in self.answers:
            self.answers[key] = self._proposal(random.Random(key[1]))
        return self.answers[key]

    def tell(self, result: Told) -> None:
        """Take a result, for the next prompts."""
        self.told.append(result)
        self.unseen.remove(result.architecture)
        self.values[self._identity(result.architecture)] = measured(result)
        self.answers.clear()

    def remarks(self) -> list[Remark]:
        """Every prompt, reply and failure since this was last called, and what was done about faulty replies."""
        kept, self.talk.remarks = self.talk.remarks, []
        return kept

    def recall(self, remarks: Sequence[Remark]) -> None:
        """Count what an earlier run of this search has spent."""
        for remark in remarks:
            if remark.kind in SPENT:
                self.talk.budget.add(remark.values)

    def _proposal(self, rng: random.Random) -> Architecture | None:
        """Ask, ask once more with what was wrong, and then do without."""
        turns = [prompt_of(self.rules, self.names, self.told, self.best, self.latest)]
        seed, reply = rng.getrandbits(31), None
        while len(turns) <= 3 and (answer := self.talk.reply(turns, seed)) is not None:
            reply = answer
            found, complaint = self._read(reply)
            if found is not None:
                return found
            turns += [reply[:SENT_BACK].strip() or "(an empty reply)", complaint]
        if reply is None and self.talk.over:
            return None
        repaired = None if reply is None else self._repaired(reply, rng)
        return repaired or self._own(rng)

    def _read(self, reply: str) -> tuple[Architecture | None, str]:
        """The architecture of a reply; or None, and what is to be said against it."""
        try:
            found = self.names.meant(prose.read(self.names.space, reply))
        except SpaceError as error:
            return None, f"{str(error)[:SENT_BACK]}\nReply again, with one JSON object and nothing else."
        value = self.values.get(self._identity(found))
        if value is None:
            return found, ""
        self.talk.note("duplicate", "a reply is known already", {"duplicates": 1.0})
        return None, f"This one is already known: {value}. Propose another one, with its JSON object and nothing else."

    def _repaired(self, reply: str, rng: random.Random) -> Architecture | None:
        """An architecture with all that is legal in a faulty reply; None where nothing is, or it is known already."""
        space = self.names.space
        try:
            wishes = prose.wishes(space, reply)
        except SpaceError:
            wishes = {}
        made = space.follow(wishes, rng)
        kept = sum(set(wishes.get(name, ())) == set(picked) for name, picked in made.picks.items())
        if not kept:
            self.talk.note(
                "warning", "the language model's reply holds no legal answer; this proposal is made without it"
            )
            return None
        found = self.names.meant(made)
        if self._identity(found) in self.values:
            return None
        self.talk.note("repair", "a faulty reply is repaired", {"kept": float(kept), "asked": float(len(made.picks))})
        return found

    def _own(self, rng: random.Random) -> Architecture | None:
        """A mutation of the best that is not known; else anything not seen; None where all has been."""
        ranked = [one for one in self.told if one.value is not None]
        best = max(ranked, key=lambda one: one.value or 0.0).architecture if ranked else None
        with suppress(SpaceError):  # nothing in the best can be changed
            for _ in range(MUTATIONS):
                made = self.space.sample(rng) if best is None else self.space.mutate(best, rng)
                if self._identity(made) not in self.values:
                    return made
        return self.unseen.draw(rng)

    def _identity(self, architecture: Architecture) -> Hashable:
        """What two architectures share that are one: network and recipe, or all their picks."""
        if self.by == "picks":
            return architecture
        from nasengine.interpreters.digest import digest

        recipe = tuple(architecture.picks.get(name) for name in self.space.recipe_decisions)
        return digest(self.space, architecture), recipe


def _check(**numbers: float | None) -> None:
    """Refuse numbers that are too small."""
    low = [f"{name}={value}" for name, value in numbers.items() if value is not None and not _fits(name, value)]
    if low:
        raise NasError(f"strategy llm: {', '.join(low)} came; give numbers above 0 ({', '.join(MAY_BE_0)} may be 0)")


def _fits(name: str, value: float) -> bool:
    return value >= 0 if name in MAY_BE_0 else value > 0


def _settings(timeout: float, max_reply: int, temperature: float | None) -> dict[str, Any]:
    """What goes with every call; failed ones are repeated by us, who count them."""
    settings = {"timeout": timeout, "max_tokens": max_reply, "max_retries": 0}
    return settings if temperature is None else {**settings, "temperature": temperature}
