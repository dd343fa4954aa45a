"""Training-free scores: what a network at its random initialisation says about the accuracy that it will train to."""

from nasengine.proxies.options import PROXIES, proxy_options, value_name

__all__ = ["PROXIES", "proxy_options", "value_name"]
