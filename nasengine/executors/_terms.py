"""What every executor is told: how many workers, what each may use, and how patient to be with it."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """How jobs are to be run.

    `cores_per_worker`: without, an equal share of this machine's. `address`: the Ray cluster to join, or where the
    local executor waits for workers that come by themselves. `job_timeout`: seconds after which a job is given up.
    `retries`: how often a job whose worker died is begun again. `files`: where checkpoints and weights are kept when
    not beside the database: a folder that all see, or a URL that fsspec knows. `verdicts`: each epoch waits for the
    driver's word whether to go on.
    """

    workers: int = 1
    gpus_per_worker: float = 0.0
    cores_per_worker: int | None = None
    address: str | None = None
    job_timeout: float | None = None
    retries: int = 2
    files: str | None = None
    verdicts: bool = False

    def threads(self) -> int:
        """Threads of one worker on this machine."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        share = self.cores_per_worker or max(cores // max(self.workers, 1), 1)
        return min(share, int(os.environ.get("OMP_NUM_THREADS") or share))
