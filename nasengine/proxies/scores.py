"""The functions behind the scores' names, each of a probe and its own options."""

from collections.abc import Callable, Mapping

from nasengine.proxies.activation import naswot, swap
from nasengine.proxies.az_nas import az_nas
from nasengine.proxies.gradient import fisher, grad_norm, grasp, snip
from nasengine.proxies.jacobian import jacob_cov
from nasengine.proxies.meco import meco
from nasengine.proxies.synflow import synflow, synflow_bn
from nasengine.proxies.zen import zen
from nasengine.proxies.zico import zico

SCORES: Mapping[str, Callable[..., float]] = {
    "synflow": synflow,
    "synflow-bn": synflow_bn,
    "snip": snip,
    "grad-norm": grad_norm,
    "grasp": grasp,
    "fisher": fisher,
    "jacob-cov": jacob_cov,
    "naswot": naswot,
    "zen": zen,
    "zico": zico,
    "meco": meco,
    "swap": swap,
}
"""All that give one number for one network; `az_nas` gives three, which are ranked among those of other networks."""

__all__ = ["SCORES", "az_nas"]
