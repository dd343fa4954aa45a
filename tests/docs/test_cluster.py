"""The page "Clusters": its configuration is one that Ray's launcher takes, and its flags exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

DOCS = Path(__file__).parents[2] / "docs"


def configurations() -> dict[str, dict[str, Any]]:
    """The file as it stands, and with the part that is commented out in place of what it replaces."""
    ours, _, cloud = (DOCS / "cluster.yaml").read_text().partition("# In the cloud, in place of `provider` and `auth`")
    lines = [line.removeprefix("#").removeprefix(" ") for line in cloud.split("\n#\n")[1].splitlines()]
    own, replaced = yaml.safe_load(ours), yaml.safe_load("\n".join(lines))
    return {"own machines": own, "cloud": {**own, **replaced}}


@pytest.mark.parametrize("which", ["own machines", "cloud"])
def test_ray_takes_the_configuration(which: str) -> None:
    config = prepare_config(configurations()[which])
    validate_config(config)
    starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    assert sum("RAY_AUTH_MODE=token RAY_AUTH_TOKEN=" in command for command in starts) == 2


def test_every_flag_of_the_page_is_one_of_the_search_or_of_ray() -> None:
    from nasengine.console.flags import SearchFlags

    page = (DOCS / "cluster.md").read_text()
    named = {flag.replace("-", "_") for flag in re.findall(r"(?<![\w-])--([a-z][a-z-]+)", page)}
    rays = {"head", "port", "num_cpus", "object_store_memory", "block"}
    slurms = {"array", "cpus_per_task", "gres", "requeue"}
    ours = set(SearchFlags.__dataclass_fields__) | {"db", "stay"}
    assert named - rays - slurms <= ours
    assert {"workers", "gpus_per_worker", "cores_per_worker", "address", "files"} <= named
