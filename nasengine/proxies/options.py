"""Which scores there are, and what can be set about each; loads no torch, so that a command line can ask it."""

import math
from collections.abc import Mapping
from typing import Any

from nasengine.errors import NasError, did_you_mean

PROXIES: dict[str, dict[str, int | float | None]] = {
    "synflow": {},
    "synflow-bn": {},
    "snip": {"batch": 64},
    "grad-norm": {"batch": 64},
    "grasp": {"batch": 64},
    "fisher": {"batch": 64},
    "jacob-cov": {"batch": 64},
    "naswot": {"batch": 128},
    "zen": {"batch": 16, "repeats": 32},
    "zico": {"batch": 64, "batches": 2},
    "az-nas": {"batch": 64, "reference": 64},
    "meco": {"side": None},
    "swap": {"batch": 64, "mu": None, "sigma": None},
    "flops": {},
    "macs": {},
    "params": {},
}
"""The scores by name, each with its options and their published defaults (None: not used unless given).

batch: images in a batch; batches: how many batches, each with its own gradient; repeats: random initialisations that
are averaged; reference: random architectures of the space that a candidate is ranked among; side: pixels, height and
width of the random image; mu, sigma: centre and width of the regularisation by size, in thousands of parameters.
"""
LEAST = {"batch": 2, "batches": 2, "repeats": 1, "reference": 1, "side": 1}  # whole numbers from here up


def value_name(name: str) -> str:
    """The public name of a score's value: `grad-norm` gives `grad_norm`."""
    return name.replace("-", "_")


def proxy_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a score, defaults filled in; raises NasError with every fault of the name and the options."""
    if name not in PROXIES:
        raise NasError(f'proxy: "{name}" came; {", ".join(PROXIES)} are allowed.{did_you_mean(name, PROXIES)}')
    allowed = PROXIES[name]
    given = {option: value for option, value in options.items() if option not in allowed or value != allowed[option]}
    faults = [fault for option, value in given.items() if (fault := _fault(name, option, value))]
    if ("mu" in given) != ("sigma" in given):
        faults.append("mu and sigma are given together, or neither; give both, in thousands of parameters")
    if faults:
        raise NasError("\n".join(f"proxy {name}: {fault}" for fault in faults))
    return {**allowed, **given}


def _fault(name: str, option: str, value: Any) -> str | None:
    allowed = PROXIES[name]
    if option not in allowed:
        words = f"{', '.join(allowed)} can be set" if allowed else "it has no options"
        return f'option "{option}" came; {words}.{did_you_mean(option, allowed)}'
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if option in LEAST and not (number and isinstance(value, int) and value >= LEAST[option]):
        return f"{option} {value!r} came; a whole number from {LEAST[option]} up is allowed"
    if option not in LEAST and not (number and value > 0):
        return f"{option} {value!r} came; a number above 0 is allowed"
    return None
