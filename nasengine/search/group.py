"""Several processes that train one supernet: what they share out, average, and have in common.

Every process draws the same joint batch and learns from its part of it; gradients are averaged in one flat all-reduce.
It is not torch's DistributedDataParallel: gates' gradients bypass its hooks, and sampled paths leave weights unused.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as distributed
from torch import Tensor

from nasengine.errors import TrainingError
from nasengine.search.strategy import Batch

T = TypeVar("T")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Part:
    """What one process learns from: images (batch, channels, height, width), labels (batch,).

    `weight` times the mean loss of the part, averaged over the processes, is the mean loss of the joint batch.
    """

    images: Tensor
    labels: Tensor
    weight: float


class Alone:
    """One process: nothing to share out, nothing to average."""

    rank = 0
    size = 1
    neighbours = 1  # processes on this machine, this one included

    def part(self, batch: Batch) -> Part:
        """This process' part of a joint batch."""
        return Part(*batch, 1.0)

    def average(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors averaged over the processes."""
        return list(tensors)

    def mean(self, figures: Mapping[str, float], count: int) -> dict[str, float]:
        """Figures averaged over the processes, each counting as much as its `count` images."""
        return dict(figures)

    def copy(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite tensors with those of the first process."""

    def first(self, answer: Callable[[], T]) -> T:
        """What the first process answers, which alone computes it; where it fails, all fail with its words."""
        return answer()

    def least(self, number: int) -> int:
        """The least of the processes' numbers."""
        return number


ALONE = Alone()


class Group(Alone):
    """The processes of torch.distributed's default group, which is there already; "gloo" serves what is on CPUs."""

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.neighbours = int(os.environ.get("LOCAL_WORLD_SIZE", self.size))

    def part(self, batch: Batch) -> Part:
        """This process' part of a joint batch: an equal share, or one image more."""
        images, labels = (tensor.tensor_split(self.size)[self.rank] for tensor in batch)
        return Part(images, labels, len(labels) * self.size / len(batch[1]))

    def average(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors averaged over the processes, in one all-reduce.

        It is on the GPU, if one of them is there; those of the CPU then take one transfer there and one back.
        """
        found = [torch.empty_like(tensor).detach() for tensor in tensors]
        device = next((tensor.device for tensor in tensors if tensor.device.type != "cpu"), CPU)
        places = range(len(tensors))
        away = [place for place in places if tensors[place].device.type != device.type]
        here = [place for place in places if tensors[place].device.type == device.type]
        rows = [_in_a_row([tensors[place] for place in some]) for some in (away, here) if some]
        flat = torch.cat([row.to(device, non_blocking=True) for row in rows])
        distributed.all_reduce(flat)
        flat.div_(self.size)
        cut = sum(tensors[place].numel() for place in away)
        if away:
            _put_back(flat[:cut].to(CPU), [found[place] for place in away])
        _put_back(flat[cut:], [found[place] for place in here])
        return found

    def mean(self, figures: Mapping[str, float], count: int) -> dict[str, float]:
        """Figures averaged over the processes, each counting as much as its `count` images."""
        sums = torch.tensor([1.0, *figures.values()], dtype=torch.float64) * count
        distributed.all_reduce(sums)
        return dict(zip(figures, (sums[1:] / sums[0]).tolist(), strict=True))

    def copy(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite tensors with those of the first process; one message for each device."""
        for device in dict.fromkeys(tensor.device for tensor in tensors):
            here = [tensor.detach() for tensor in tensors if tensor.device == device]
            raw = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in here]
            flat = torch.cat(raw)
            distributed.broadcast(flat, 0)
            for tensor, piece in zip(here, torch.split(flat, [len(one) for one in raw]), strict=True):
                tensor.copy_(piece.clone().view(tensor.dtype).view(tensor.shape))

    def first(self, answer: Callable[[], T]) -> T:
        """What the first process answers (tensors, numbers, text, and lists and tables of them); or how it failed."""
        said, fault = None, None
        if self.rank == 0:
            try:
                said = answer()
            except Exception as error:  # the others wait for an answer, whatever it is
                fault = error
        words = None if fault is None else str(fault) or type(fault).__name__
        reply = self._sent({"said": said, "fault": words})
        if fault is not None:
            raise fault
        if reply["fault"] is not None:
            raise TrainingError(reply["fault"])
        found: T = reply["said"]
        return found

    def least(self, number: int) -> int:
        """The least of the processes' numbers."""
        found = torch.tensor(number)
        distributed.all_reduce(found, distributed.ReduceOp.MIN)
        return int(found)

    def _sent(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The first process' message; nothing in it is run when it is read."""
        file = io.BytesIO()
        if self.rank == 0:
            torch.save(dict(message), file)
        length = torch.tensor(file.getbuffer().nbytes)
        distributed.broadcast(length, 0)
        packed = torch.zeros(int(length), dtype=torch.uint8)
        if self.rank == 0:
            packed.copy_(torch.frombuffer(file.getbuffer(), dtype=torch.uint8))
        distributed.broadcast(packed, 0)
        if self.rank == 0:
            return dict(message)
        read: dict[str, Any] = torch.load(io.BytesIO(packed.numpy().tobytes()), map_location="cpu", weights_only=True)
        return read


def _in_a_row(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def _put_back(row: Tensor, tensors: Sequence[Tensor]) -> None:
    """Copy what `_in_a_row` gave into tensors of the same shapes, in one go those that lie in a row themselves.

    One tensor of another layout among them, such as channels last, would make a GPU copy all of them one by one.
    """
    pairs = list(zip(tensors, torch.split(row, [tensor.numel() for tensor in tensors]), strict=True))
    alike = [(tensor.view(-1), piece) for tensor, piece in pairs if tensor.is_contiguous()]
    others = [(tensor, piece.view(tensor.shape)) for tensor, piece in pairs if not tensor.is_contiguous()]
    for some in (alike, others):
        if some:
            torch._foreach_copy_([tensor for tensor, _ in some], [piece for _, piece in some])
