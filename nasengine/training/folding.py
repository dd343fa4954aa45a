"""Batch norms folded into the convolutions before them, for as long as a network is only measured."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

Pairs = list[tuple[nn.Conv2d, nn.BatchNorm2d]]
_ASKING = (Tensor.dim, Tensor.size, Tensor.shape.__get__)  # type: ignore[attr-defined]


class Followers(TorchFunctionMode):
    """Finds, while a network runs once within it, the batch norms that alone read what a convolution puts out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._hooks = [one.register_forward_hook(self._ran) for one in model.modules() if _is_plain(one)]
        self._calls: list[tuple[nn.Module, Tensor, Tensor]] = []  # which hold all tensors, so that no id comes again
        self._read: Counter[int] = Counter()

    def _ran(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._calls.append((module, inputs[0], output))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func not in _ASKING:
            self._read.update(id(one) for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor))
        return func(*args, **(kwargs or {}))

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for hook in self._hooks:
            hook.remove()

    def pairs(self, outputs: Any) -> Pairs:
        """What was found; `outputs` are the network's own, which it may not lose. To be asked once."""
        self._read.update(id(one) for one in tree_leaves(outputs))
        runs = Counter(module for module, _, _ in self._calls)
        made = {id(output): module for module, _, output in self._calls if isinstance(module, nn.Conv2d)}
        found = [
            (made[id(value)], norm)
            for norm, value, _ in self._calls
            if isinstance(norm, nn.BatchNorm2d) and id(value) in made and self._read[id(value)] == 1
        ]
        self._calls.clear()
        return [(conv, norm) for conv, norm in found if runs[conv] == runs[norm] == 1]


def _is_plain(module: nn.Module) -> bool:
    """Whether it is a convolution or a norm with statistics, and nobody listens to it or computes its weights."""
    known = type(module) is nn.Conv2d or (type(module) is nn.BatchNorm2d and module.running_mean is not None)
    return known and not (module._forward_hooks or module._forward_pre_hooks)


@contextlib.contextmanager
def folded(pairs: Pairs) -> Iterator[None]:
    """Run each convolution with its norm's scale and shift in its weights, and the norm as the identity.

    Exact up to rounding, in evaluation mode. Weights, names and state dicts are as before on leaving.
    """
    kept = [(conv.weight, conv.bias) for conv, _ in pairs]
    for conv, norm in pairs:
        assert norm.running_mean is not None and norm.running_var is not None  # else it is not found
        statistics = norm.running_mean, norm.running_var, norm.eps
        conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, conv.bias, *statistics, norm.weight, norm.bias)
        norm.forward = _unchanged  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        for (conv, norm), (weight, bias) in zip(pairs, kept, strict=True):
            conv.weight, conv.bias = weight, bias
            del norm.forward


def _unchanged(value: Tensor) -> Tensor:
    return value
