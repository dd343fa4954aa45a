"""This process in a Ray cluster, joined or started here; what can go wrong with that is said in one sentence."""

import logging
import os
import socket
import threading
import warnings
from pathlib import Path
from secrets import token_hex
from typing import Any

from nasengine.errors import NasError
from nasengine.executors._terms import Terms

PLACE = "executor ray"
PATIENCE = 10.0  # seconds for a cluster to answer
STORE = 100 * 2**20  # bytes of shared memory that a cluster of our own has beside the data set
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
TOKEN = Path(".ray", "auth_token")  # below the home folder


class Cluster:
    """The cluster that jobs run in: this process' own one without an address, else the one that is there.

    One of our own has room for all workers, each with its share of this machine's cores, and `bytes` of shared memory
    for the data set; elsewhere a worker has one core unless the terms say more. `close` ends a cluster of our own, and
    leaves any other as it is.
    """

    def __init__(self, terms: Terms, *, bytes: int):
        self.ray = ray = _installed()
        self.borrowed = ray.is_initialized()  # whoever joined it leaves it
        self.added: list[str] = []  # to the environment
        address = terms.address or os.environ.get("RAY_ADDRESS")
        self.is_own = not self.borrowed and address in (None, "local")
        self.cores = terms.cores_per_worker or (terms.threads() if self.is_own else 1)  # of a worker
        if self.borrowed:
            here = ray.get_runtime_context().gcs_address
            if address not in (None, "auto", here):
                raise NasError(
                    f"{PLACE}: address {address} came; this process is in {here} already; ray.shutdown() first"
                )
            return
        self._set({**QUIET, **_token(own=self.is_own)})
        words: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self.is_own:
            words |= {"num_cpus": terms.workers * self.cores, "include_dashboard": False}
            words |= {"object_store_memory": STORE + bytes}
        try:
            found = "local" if self.is_own else _answering(str(address))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Ray's own, about its own
                ray.init(found, **words)
        except Exception as error:
            self.close()
            raise error if isinstance(error, NasError) else _refused(address or "local", error) from error

    def _set(self, words: dict[str, str]) -> None:
        """Say to Ray, and to the processes that it starts, what the user's environment leaves open."""
        from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

        self.added = [name for name in words if name not in os.environ]
        os.environ.update({name: words[name] for name in self.added})
        Config.initialize("")  # what Ray knows of the environment is what it was when Ray was imported
        AuthenticationTokenLoader.instance().reset_cache()

    def room(self, gpus: float) -> int:
        """How many workers, with so many GPUs each, the cluster has room for; none is an error."""
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        room = sum(_fit(node, self.cores, gpus) for node in nodes)
        if not room:
            most = [max((node.get(kind, 0.0) for node in nodes), default=0.0) for kind in ("CPU", "GPU")]
            raise NasError(
                f"{PLACE}: a worker of {self.cores} cores and {gpus:g} GPUs came; the largest of {len(nodes)} nodes "
                f"has {most[0]:g} cores and {most[1]:g} GPUs; give a smaller --cores-per-worker or --gpus-per-worker"
            )
        return room

    def close(self) -> None:
        """Leave a cluster, and end it where it was started here."""
        if not self.borrowed:
            self.ray.shutdown()
        for name in self.added:
            os.environ.pop(name, None)


def _installed() -> Any:
    try:
        import ray
    except ImportError as error:
        raise NasError(
            f"{PLACE}: Ray cannot be imported ({error}); pip install ray, or take --executor local"
        ) from error
    return ray


def _token(own: bool) -> dict[str, str]:
    """What the environment has to say for a cluster to let us in; a cluster of our own gets a secret of its own."""
    if "RAY_AUTH_MODE" in os.environ:
        known = os.environ["RAY_AUTH_MODE"] != "token"
    else:
        known = bool(os.environ.keys() & {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}) or (Path.home() / TOKEN).exists()
        if not own and not known:
            return {}
    return {"RAY_AUTH_MODE": "token"} | ({"RAY_AUTH_TOKEN": token_hex(32)} if own and not known else {})


def _answering(address: str) -> str:
    """The cluster's HOST:PORT, after it has answered: Ray itself would try for a minute."""
    from ray._private.services import canonicalize_bootstrap_address_or_die

    if address.startswith("ray://"):
        raise NasError(f"{PLACE}: address {address} came; a search runs on a node of the cluster: give auto there")
    try:
        found = str(canonicalize_bootstrap_address_or_die(address))
        host, _, port = found.rpartition(":")
        socket.create_connection((host, int(port)), timeout=PATIENCE / 2).close()
    except (OSError, ValueError) as error:
        raise NasError(
            f"{PLACE}: no Ray cluster at {address} ({_first_line(error)}); give auto, or HOST:PORT of the head node as "
            "`ray start --head` prints it, usually with port 6379; without --address a cluster is started here"
        ) from error
    _greet(found)
    return found


def _greet(address: str) -> None:
    """Have Ray's head node say something, within reason."""
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    said: list[Exception | None] = []

    def greet() -> None:
        try:
            GcsClient(address=address)
            said.append(None)
        except Exception as error:
            said.append(error)

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not said:
        raise NasError(f"{PLACE}: what answers at {address} is not the head node of a Ray cluster; give its HOST:PORT")
    if said[0] is not None:
        raise said[0]


def _refused(address: str, error: Exception) -> NasError:
    """Why Ray did not let us in."""
    text = f"{error} {error.__cause__ or ''}"
    if "uthenticat" in text or "AuthToken" in text:
        advice = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to what the cluster was started with"
        return NasError(f"{PLACE}: the cluster at {address} does not take this token; {advice}")
    if "ersion mismatch" in text:
        words = " ".join(text.split())
        return NasError(f"{PLACE}: {words[:400]}; install the same Ray and Python here as on the nodes")
    return NasError(
        f"{PLACE}: Ray could not begin at {address}: {type(error).__name__}: {_first_line(error)}; "
        "--executor local runs jobs without it"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]


def _fit(node: dict[str, float], cores: int, gpus: float) -> int:
    """Workers of this size that one node has room for; a share of a GPU lies on one GPU."""
    by_core = int(node.get("CPU", 0.0) // cores)
    have = node.get("GPU", 0.0)
    if not gpus:
        return by_core
    return min(by_core, int(have) * int(1 / gpus) if gpus < 1 else int(have // gpus))
