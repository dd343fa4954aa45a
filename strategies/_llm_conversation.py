"""Asking a language model within a budget: calls that bring nothing are made again, and everything is kept."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nasengine.errors import NasError
from nasengine.search.strategy import Remark
from nasengine.strategies._llm_budget import TOKEN, Budget
from nasengine.strategies._llm_model import NoAnswer, call, clean

PAUSES = (1.0, 4.0)  # seconds before a call that brought nothing is made again
SPENT = ("reply", "failure")  # remarks that hold what a call cost


@dataclass
class Conversation:
    """A model, what it is always told (`role`, and the `form` of replies), and all that was said."""

    model: Any
    address: str | None
    role: str
    form: Mapping[str, Any]
    settings: Mapping[str, Any]
    budget: Budget
    remarks: list[Remark] = field(default_factory=list)
    over: bool = False  # whether the budget is spent
    answered: bool = False  # whether the model has ever answered

    def reply(self, turns: Sequence[str], seed: int) -> str | None:
        """What the model says to the last of the turns (prompt, reply, prompt, …); None where nothing comes.

        Raises NasError where the first call shows that none can succeed: no server, no such model, no valid key.
        """
        characters = sum(map(len, turns)) + len(self.role) + len(str(self.form))
        if self._spent(characters):
            return None
        self.note("prompt", turns[-1])
        failure: NoAnswer | None = None
        for pause in (0.0, *PAUSES):
            time.sleep(pause)
            if self._spent(characters):
                return None
            try:
                return self._call(turns, seed, characters)
            except NoAnswer as error:
                failure = error
                self._failed(failure, characters)
            if failure.kind == "wrong":
                break
        self.note("warning", f"the language model gives no answer ({failure}); this proposal is made without it")
        return None

    def note(self, kind: str, text: str, values: Mapping[str, float] | None = None) -> None:
        """Keep a remark, without anything secret."""
        self.remarks.append(Remark(kind, clean(text), values or {}))

    def _call(self, turns: Sequence[str], seed: int, characters: int) -> str:
        reply = call(self.model, self.role, turns, dict(self.form), {**self.settings, "seed": seed})
        self.answered = True
        tokens = (reply.prompt_tokens or characters // TOKEN, reply.reply_tokens or len(reply.text) // TOKEN)
        values = {**self.budget.spend(*tokens), "seconds": reply.seconds, "cut": float(reply.cut)}
        self.note("reply", reply.text, values)
        if reply.cut:
            limit = self.settings["max_tokens"]
            self.note("warning", f"a reply was cut off at {limit} tokens; raise --strategy.max_reply")
        return reply.text

    def _spent(self, characters: int) -> bool:
        """Whether the budget forbids another call; from then on it does so forever."""
        refusal = self.budget.refusal(characters, self.settings["max_tokens"])
        if refusal and not self.over:
            self.over = True
            self.note("warning", f"the budget for the language model is spent, so the search ends: {refusal}")
        return self.over

    def _failed(self, failure: NoAnswer, characters: int) -> None:
        """Keep a failure and what it may have cost: a reply that came too late is paid for."""
        tokens = (characters // TOKEN, self.settings["max_tokens"]) if failure.kind == "late" else (0, 0)
        self.note("failure", str(failure), self.budget.spend(*tokens))
        if not self.answered and failure.kind in ("wrong", "away"):
            where = f" at {self.address}" if self.address else ""
            raise NasError(
                f"strategy llm: {self.model.model_name}{where} does not answer: {failure}; see that the server runs, "
                "that --strategy.model and --strategy.base_url are right, and that the key is in the environment"
            )
