"""Every name has its function."""

from nasengine.proxies.options import PROXIES
from nasengine.proxies.scores import SCORES


def test_names_and_functions_are_the_same() -> None:
    assert set(SCORES) | {"az-nas", "flops", "macs", "params"} == set(PROXIES)
