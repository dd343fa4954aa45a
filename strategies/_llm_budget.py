"""How much a language model may be asked: calls, tokens and money, counted before and after every call."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nasengine.errors import NasError

TOKEN = 2  # characters that make a token at the least, in English and JSON: a prompt is never larger than reckoned


@dataclass
class Budget:
    """Limits, prices, and what was spent; a limit of None is none."""

    max_calls: int | None = None
    max_tokens: int | None = None  # of prompts and replies together
    max_dollars: float | None = None
    prices: tuple[float, float] | None = None  # dollars for a million tokens of prompt, of reply
    spent: dict[str, float] = field(default_factory=lambda: {"calls": 0.0, "tokens": 0.0, "dollars": 0.0})

    def __post_init__(self) -> None:
        if self.max_dollars is not None and self.prices is None:
            raise NasError(
                f"strategy llm: max_dollars={self.max_dollars:g} came, but the prices of this model are not known; "
                "give --strategy.dollars_per_million_input and --strategy.dollars_per_million_output"
            )

    def refusal(self, characters: int, max_reply: int) -> str:
        """Why a call is not to be made; empty where even a reply of full length stays within every limit."""
        prompt = characters // TOKEN
        limits = (
            ("calls", self.max_calls, 1.0),
            ("tokens", self.max_tokens, float(prompt + max_reply)),
            ("dollars", self.max_dollars, self.dollars(prompt, max_reply)),
        )
        return "; ".join(
            f"{self.spent[name]:.6g} of {limit:g} {name} are spent, and the next call may take {cost:.3g}"
            for name, limit, cost in limits
            if limit is not None and self.spent[name] + cost > limit
        )

    def dollars(self, prompt: int, reply: int) -> float:
        """What so many tokens cost; 0 where prices are not known."""
        per_prompt, per_reply = self.prices or (0.0, 0.0)
        return (prompt * per_prompt + reply * per_reply) / 1e6

    def spend(self, prompt: int, reply: int) -> dict[str, float]:
        """Count a call; returns what to keep beside it."""
        cost = {"calls": 1.0, "tokens": float(prompt + reply), "dollars": self.dollars(prompt, reply)}
        self.add(cost)
        return {**cost, "prompt_tokens": float(prompt), "reply_tokens": float(reply)}

    def add(self, cost: Mapping[str, float]) -> None:
        """Count what was spent elsewhere, such as in an earlier run of the search."""
        for name in self.spent:
            self.spent[name] += cost.get(name, 0.0)
