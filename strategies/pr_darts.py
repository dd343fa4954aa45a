"""PR-DARTS: gates that open and close on their own, kept sparse by group and pushed towards deep paths.

Path-regularised differentiable search (Zhou et al., 2020, https://arxiv.org/abs/2006.16537): each option of each choice
has a hard-concrete gate. Skip connections train fast and win a plain search, so the chance of a gate to be open is
pushed down per group, skips more than others, and pushed up along the deepest path of layers with weights.

What the paper prints and what the authors' code does differ; `variant` has both:

- gates: paper, the soft values of 2 random options of each choice; code, the 2 strongest as ones, straight through,
  after 40 % of the gates were dropped and ties broken by one shuffle for the whole cell;
- groups: paper, skips and all others; code, skips, pools and all others, each as far as its mean exceeds 0.2;
- what is regularised: paper, all options; code, the options drawn;
- deepest path: paper, the product of the sums over its convolutions; code, the product of the means over those drawn,
  without the choices where none was;
- temperature: paper, 10 to 0.1; code, 1 to 0.1;
- initial values: paper, 0.5; code, normal with deviation 0.001;
- ranking: paper, the chance to be open; code, the softmax over each choice. Both pool all pairs of a node.

Departures: it works on any space whose choices are between layers (groups follow the kinds of options, each shared
namespace has its deepest path); `settle` takes pairs from different sources where the space asks for that; the gates'
learning rate is higher than the published 3e-4, for a search here has hundreds of steps and not twenty thousand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import torch
from torch import Tensor

from nasengine.interpreters.depth import WEIGHTLESS, deepest_paths
from nasengine.interpreters.gated import Opened, Pair, Rows, gated, pooled, refuse_sizes, settle
from nasengine.space import Architecture, Mixture, Space

LOW, HIGH = -0.1, 1.1  # the interval that a gate is stretched to before it is cut to 0..1
SHIFT = math.log(-LOW / HIGH)
DROPOUT = 0.4  # share of gates that variant "code" drops before it draws
MARGIN = 0.2  # what variant "code" leaves a group before it pushes


def hard_concrete(log_odds: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """Gates in 0..1 from log-odds and uniform noise (Louizos et al., 2018, https://arxiv.org/abs/1712.01312)."""
    noise = uniform.log() - (-uniform).log1p()
    return ((log_odds + noise) / temperature).sigmoid().mul(HIGH - LOW).add(LOW).clamp(0, 1)


def chance(log_odds: Tensor, temperature: float) -> Tensor:
    """The probability that such a gate is not exactly zero."""
    return (log_odds - temperature * SHIFT).sigmoid()


class PRDarts:
    """Independent hard-concrete gates with sparsity by group and a reward for depth.

    variant: "code" does what the authors' code does, "paper" what the paper prints
    gate_rate: learning rate of the gates' Adam (published: 3e-4)
    gate_decay: weight decay of the gates' Adam, coupled to the gradient
    skip_weight: weight of the penalty on skips
    rest_weight: weight of the penalty on the other groups
    path_weight: weight of the reward for the deepest path
    hottest: temperature in the first epoch; none is the variant's
    coldest: temperature in the last epoch
    operations: options that a forward runs in each choice: "code" the strongest, "paper" random ones
    """

    order = 1

    def __init__(
        self,
        space: Space,
        variant: Literal["code", "paper"] = "code",
        gate_rate: float = 0.03,
        gate_decay: float = 1e-3,
        skip_weight: float = 0.01,
        rest_weight: float = 0.005,
        path_weight: float = 0.005,
        hottest: float | None = None,
        coldest: float = 0.1,
        operations: int = 2,
    ) -> None:
        refuse_sizes(space, "pr-darts")
        self.space, self.is_code = space, variant == "code"
        self.gate_rate, self.gate_decay = gate_rate, gate_decay
        self.lambdas = (skip_weight, rest_weight, path_weight)
        self.hottest = hottest if hottest is not None else 1.0 if self.is_code else 10.0
        self.coldest, self.temperature = coldest, self.hottest
        self.operations = operations
        self.rows, self.opened = gated(space), Opened(space)
        self.log_odds = [self._start(rows).requires_grad_() for rows in self.rows]
        self.drawn = [torch.ones_like(tensor) for tensor in self.log_odds]  # which options the latest draw ran
        self.cells = _cells(space, self.rows)
        self.outside: tuple[str, ...] = ()

    def _start(self, rows: Rows) -> Tensor:
        shape = (len(rows.decisions), len(rows.options))
        return 1e-3 * torch.randn(shape) if self.is_code else torch.full(shape, 0.5)

    def parameters(self) -> list[Tensor]:
        """Log-odds: one tensor (decisions, options) for each group of equal choices."""
        return self.log_odds

    def at(self, progress: float) -> None:
        """The temperature falls linearly."""
        self.temperature = self.hottest * (1 - progress) + self.coldest * progress

    def draws(self, generator: torch.Generator) -> Sequence[Mixture]:
        """One sample of all gates, shared by all cells of a namespace."""
        mixed: dict[str, dict[str, float | Tensor]] = {}
        for i, (rows, log_odds) in enumerate(zip(self.rows, self.log_odds, strict=True)):
            soft = hard_concrete(log_odds, torch.rand(log_odds.shape, generator=generator), self.temperature)
            columns = self._columns(soft, generator)
            self.drawn[i] = torch.zeros_like(soft).scatter(1, columns, 1.0)
            gates = self._gates(soft.gather(1, columns))
            for name, row, on in zip(rows.decisions, gates, columns.tolist(), strict=True):
                mixed[name] = {rows.options[column]: gate for column, gate in zip(on, row, strict=True)}
        return [Mixture(mixed, self.opened)]

    def _columns(self, soft: Tensor, generator: torch.Generator) -> Tensor:
        """The options that run, (decisions, number)."""
        count = soft.shape[1]
        number = min(self.operations, count)
        if not self.is_code:
            chosen = torch.rand(soft.shape, generator=generator).topk(number, dim=1).indices
            return chosen.sort(dim=1).values
        kept = soft.detach() - (torch.rand(soft.shape, generator=generator) < DROPOUT).float()
        shuffled = torch.randperm(count, generator=generator)
        return shuffled[kept[:, shuffled].topk(number, dim=1).indices]

    def _gates(self, soft: Tensor) -> list[list[float | Tensor]]:
        """The gates of the options that run: numbers where no gradient passes, so that nothing is computed for it."""
        learning = torch.is_grad_enabled()
        straight = (1 - soft.detach() + soft) if self.is_code else soft
        values = iter(straight.flatten().unbind())
        gates: list[list[float | Tensor]] = []
        for row in soft.detach().tolist():
            tensors = [next(values) for _ in row]
            constants = [1.0 if self.is_code else level for level in row]
            learns = [learning and 0.0 < level < 1.0 for level in row]
            gates.append([t if moves else c for t, c, moves in zip(tensors, constants, learns, strict=True)])
            if not any(constants):  # a node without any input would change its cell's width
                gates[-1][0] = tensors[0].detach()
        return gates

    def penalty(self) -> Tensor:
        """Groups of options are held back, the deepest path is rewarded; both averaged over the namespaces."""
        chances = [chance(log_odds, self.temperature) for log_odds in self.log_odds]
        seen = self.drawn if self.is_code else [torch.ones_like(tensor) for tensor in self.drawn]
        groups, paths = zip(*(self._cell_terms(cell, chances, seen) for cell in self.cells), strict=True)
        means = torch.stack(groups).mean(dim=0)
        if self.is_code:
            means = (means - MARGIN).clamp(min=0)
        skip_weight, rest_weight, path_weight = self.lambdas
        return skip_weight * means[0] + rest_weight * means[1:].sum() - path_weight * torch.stack(paths).mean()

    def _cell_terms(self, cell: "_Cell", chances: list[Tensor], seen: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Of one namespace: each group's mean chance (zero where nothing of it was drawn), and its path's term."""
        mask = torch.cat([seen[i].flatten() for i in cell.stacks])
        opened = torch.cat([chances[i].flatten() for i in cell.stacks]) * mask
        members = cell.groups if self.is_code else torch.stack([cell.groups[0], cell.groups[1:].sum(dim=0)])
        means = (members @ opened) / (members @ mask).clamp(min=1)
        sums, counts = cell.path @ opened, cell.path @ mask
        if self.is_code:
            factors = torch.where(counts > 0, sums / counts.clamp(min=1), torch.ones_like(sums))
            found = (counts.sum() > 0).float()
        else:
            factors, found = sums, torch.tensor(float(len(sums) > 0))
        return means, reduce(torch.mul, factors.unbind(), found)

    def ranking(self) -> dict[Pair, float]:
        """The published score of every legal option, best first.

        "paper": the probability to be open; "code": the softmax over the options of its choice.
        """
        scores: dict[Pair, float] = {}
        for rows, log_odds in zip(self.rows, self.log_odds, strict=True):
            exact = log_odds.detach().double()  # in single precision every gate of a hot start is open for certain
            values = exact.softmax(dim=1) if self.is_code else chance(exact, self.temperature)
            for name, row in zip(rows.decisions, values.tolist(), strict=True):
                named = dict(zip(rows.options, row, strict=True))
                scores |= {(name, option): named[option] for option in self.space.decisions[name].options}
        return dict(sorted(scores.items(), key=lambda item: -item[1]))

    def published(self) -> dict[str, list[Pair]]:
        """What the published rule keeps: per node the two best pairs of all its edges, even two from one source."""
        return pooled(self.space, self.ranking())

    def settle(self) -> Architecture:
        """The best legal architecture of the ranking; `outside` names the nodes where the published rule has none."""
        kept = self.published()
        self.outside = tuple(name for name, pairs in kept.items() if len({d for d, _ in pairs}) < self._sources(name))
        return settle(self.space, self.ranking())

    def _sources(self, name: str) -> int:
        """How many different decisions a node's pairs have to come from."""
        decision = self.space.decisions[name]
        return decision.keep[1] if decision.of_edges else 1

    def gates(self) -> dict[str, dict[str, float]]:
        """Each option's probability to be open at this temperature."""
        strengths = {}
        for rows, log_odds in zip(self.rows, self.log_odds, strict=True):
            for name, row in zip(rows.decisions, chance(log_odds.detach(), self.temperature).tolist(), strict=True):
                strengths[name] = dict(zip(rows.options, row, strict=True))
        return strengths


@dataclass(frozen=True)
class _Cell:
    """One namespace as the regularisers see it: its options in a line, and who belongs to what."""

    stacks: tuple[int, ...]  # which tensors of log-odds
    groups: Tensor  # (3, options): skips, pools, all others
    path: Tensor  # (choices of the deepest path, options): those with weights


def _cells(space: Space, stacks: tuple[Rows, ...]) -> list[_Cell]:
    paths = deepest_paths(space)
    cells = []
    for namespace in dict.fromkeys(rows.namespace for rows in stacks):
        numbers = tuple(i for i, rows in enumerate(stacks) if rows.namespace == namespace)
        flat = [
            (name, kind)
            for i in numbers
            for name, kinds in zip(stacks[i].decisions, stacks[i].kinds, strict=True)
            for kind in kinds
        ]
        groups = [[kind == "skip", kind == "pool", kind not in ("skip", "pool")] for _, kind in flat]
        chain = paths.get(namespace, ())
        path = [[name == step and kind not in WEIGHTLESS for name, kind in flat] for step in chain]
        members = torch.tensor(path, dtype=torch.float32).reshape(len(chain), len(flat))
        cells.append(_Cell(numbers, torch.tensor(groups, dtype=torch.float32).T, members))
    return cells
