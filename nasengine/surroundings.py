"""Where a search runs, as its record keeps it: versions, machine, threads, GPU, git revision."""

from typing import Any

import torch

from nasengine.ledger.environment import environment


def surroundings() -> dict[str, Any]:
    """What `nasengine.ledger.environment` finds, and what torch knows."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return environment(torch.__version__, torch.get_num_threads(), gpu)
