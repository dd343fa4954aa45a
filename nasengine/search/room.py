"""Whether a supernet's step fits into memory, found before anything is built."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from nasengine.errors import TrainingError
from nasengine.interpreters.ends import largest
from nasengine.interpreters.memory import Memory, training_memory
from nasengine.interpreters.slicing import Dressed
from nasengine.search.group import ALONE, Alone
from nasengine.search.strategy import Sampler
from nasengine.space import Picks, Space
from nasengine.training.recipe import Recipe

SLOTS = {"adan": 4, "adamw": 2, "sgd": 1}  # numbers that each optimizer keeps per weight
AHEAD = {"none": 0, "win": 2, "win2": 3}  # what Win adds: its own sequences, and a copy during a step
SHARE = 0.9  # of the free memory; the rest is left for what the estimate does not count
UNKNOWN = 2**62  # bytes, where the system does not say
DRAWS = 3  # sampled gates run different options, so the largest of a few draws counts


def free_bytes(device: torch.device) -> int | None:
    """Free memory of the device; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    known = Path("/proc/meminfo")
    if not known.exists():
        return None
    lines = dict(line.split(":", 1) for line in known.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def slots(recipe: Recipe) -> int:
    """The numbers that a recipe's steps keep per weight."""
    return SLOTS[recipe.optimizer] + AHEAD[recipe.acceleration]


def step_memory(space: Space, relaxation: Sampler, recipe: Recipe, batch: int) -> Memory:
    """The memory of the larger of the two steps of a search, that of the weights.

    A sampler's networks are in memory one after the other, so that it is the largest that counts.
    """
    kept = slots(recipe)
    if not hasattr(relaxation, "settle"):
        found = training_memory(space, Dressed(largest(space)), batch, kept)
        shots = getattr(relaxation, "model_options", {}).get("shots", 1)
        stored = {name: shots * getattr(found, name) for name in ("weights", "gradients", "optimizer")}
        return replace(found, **stored)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        drawn: Sequence[Picks] = [picks for _ in range(DRAWS) for picks in relaxation.draws(generator)]
    every = [training_memory(space, picks, batch, kept) for picks in drawn[:DRAWS]]
    return max(every, key=lambda memory: memory.total)


def batch_that_fits(
    relaxation: Sampler,
    recipe: Recipe,
    device: torch.device,
    on_note: Callable[[str], None],
    group: Alone = ALONE,
) -> Callable[[Space, int], int]:
    """What `relax` asks before it builds: the batch, halved until a step fits; TrainingError where none does.

    In a group it is the joint batch, and the process with the least memory decides.
    """

    def fitted(space: Space, batch: int) -> int:
        free = group.least(_free_for_one(device, group))
        if free == UNKNOWN:
            return batch
        wanted = batch
        while True:
            share = math.ceil(batch / group.size)
            need = step_memory(space, relaxation, recipe, share).total
            if need <= SHARE * free:
                break
            if batch // 2 < 2 * group.size:
                raise TrainingError(
                    f"supernet of {space.name}: batch {wanted} came, and even a step of {share} images needs about "
                    f"{mebibytes(need)}, of which {mebibytes(free)} are free on {device}; use smaller space settings"
                )
            batch //= 2
        if batch != wanted:
            on_note(f"batch {wanted} does not fit into {mebibytes(free)} of free memory; going on with {batch}")
        on_note(f"a step of the supernet takes about {mebibytes(need)} of memory, {mebibytes(free)} are free")
        return batch

    return fitted


def _free_for_one(device: torch.device, group: Alone) -> int:
    """Free memory for one process; processes on the CPUs of one machine share it."""
    free = free_bytes(device)
    if free is None:
        return UNKNOWN
    return free if device.type == "cuda" else free // group.neighbours


def mebibytes(number: int) -> str:
    """Bytes as a person says them."""
    return f"{number / 2**20:,.0f} MiB"
