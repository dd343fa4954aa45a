"""Multiply-adds of a layer, counted while it runs on the meta device."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from nasengine.interpreters.outlines import outline


class MultiplyAdds(TorchDispatchMode):
    """A context that adds up the multiply-adds of convolutions and matrix products in `total`.

    By torch's own formulas, so that FlopCounterMode gives twice the same number; that one loads torch's compiler,
    which takes longer than to count a whole network. With `quick`, operators whose outputs are easily told are not run.
    Not for inference mode, in which torch does not say what an operator is made of.
    """

    def __init__(self, quick: bool = True) -> None:
        super().__init__()
        self.quick, self.flops = quick, 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # skipping it means to load it, on the first call

    @property
    def total(self) -> int:
        """Multiply-adds so far."""
        return self.flops // 2

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        output = outline(func, args, kwargs) if self.quick else None
        if output is None:
            output = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **kwargs, out_val=output)
        return output
