"""DARTS' search network counted by hand: operators of a forward and a backward, floating-point operations, weights.

Written from the papers' algorithm (Liu et al., 2019, https://arxiv.org/abs/1806.09055; Zhou et al., 2020,
https://arxiv.org/abs/2006.16537), cell by cell, edge by edge and operation by operation; nothing is run and nothing of
the yardstick's code is used. A tensor that is read n times costs n - 1 additions of gradients on the way back.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

EDGES = tuple((source, node) for node in range(4) for source in range(2 + node))
On = Sequence[Sequence[bool]]  # per edge, which operations run


@dataclass
class Work:
    """Operators that do something (views do nothing) by name, and what they multiply and hold."""

    forward: Counter[str] = field(default_factory=Counter)
    backward: Counter[str] = field(default_factory=Counter)
    flops: int = 0  # a forward's multiplications and additions in convolutions and the classifier
    tensors: int = 0  # weights

    def add(self, forward: str, backward: str = "", times: int = 1, flops: int = 0, tensors: int = 0) -> None:
        """Add operators; names stand apart by a blank."""
        for counts, names in ((self.forward, forward), (self.backward, backward)):
            for name in names.split():
                counts[name] += times
        self.flops += times * flops
        self.tensors += times * tensors


@dataclass
class Published:
    """The network of `layers` cells with images of so many channels, a side length and a batch.

    track: batch norms keep running statistics, as DARTS' do; pool_norm: they follow the pools; last_norm: one before
    the classifier, with a ReLU
    """

    channels: int
    layers: int
    image: int
    side: int
    batch: int
    track: bool = True
    pool_norm: bool = True
    last_norm: bool = False

    def work(self, on: Sequence[On] | None = None) -> Work:
        """Count all of it, with every operation or those that are on (normal cells', reduction cells')."""
        work, width, area = Work(), self.channels, self.batch * self.side**2
        stem = 3 * width
        self._conv(work, self.image, stem, 9, area)
        work.backward["add"] += 2  # read twice by the first cell and once by the second
        self._norm(work, affine=True)
        before = last = stem
        halved = False
        for number in range(self.layers):
            reduce = number in (self.layers // 3, 2 * self.layers // 3)
            width, area_in = width * (2 if reduce else 1), area
            area //= 4 if reduce else 1
            self._enter(work, before, width, area_in, halved)
            self._enter(work, last, width, area_in, False)
            self._cell(work, width, area, reduce, ALL if on is None else on[reduce])
            work.backward["add"] += number < self.layers - 2  # the next two cells read it
            before, last, halved = last, 4 * width, reduce
        self._end(work, last)
        return work

    def _conv(self, work: Work, inputs: int, outputs: int, taps: int, area: int) -> None:
        """`inputs` are those that one output channel sees; area: outputs of a channel in the whole batch."""
        work.add("convolution", "convolution_backward", flops=2 * inputs * outputs * taps * area, tensors=1)

    def _norm(self, work: Work, affine: bool = False) -> None:
        work.add("native_batch_norm", "native_batch_norm_backward", tensors=2 * affine)
        work.forward["add_"] += self.track or affine  # the number of batches seen

    def _enter(self, work: Work, channels: int, width: int, area: int, halved: bool) -> None:
        """What comes before a cell: ReLU, 1x1 convolution, norm; at half the size where the cell before halved."""
        if halved:
            self._halve(work, channels, width, area)
        else:
            work.add("relu", "threshold_backward")
            self._conv(work, channels, width, 1, area)
            self._norm(work)

    def _halve(self, work: Work, channels: int, width: int, area: int) -> None:
        """Two 1x1 convolutions of stride 2, the second one a pixel further: half of the width each."""
        work.add("relu cat", "threshold_backward add slice_backward slice_backward")
        self._conv(work, channels, width // 2, 1, area)
        self._conv(work, channels, width // 2, 1, area)
        self._norm(work)

    def _cell(self, work: Work, width: int, area: int, reduce: bool, on: On) -> None:
        reads = Counter({state: 1 for state in range(2, 6)})  # by what joins the four nodes
        for edge, (source, _node) in enumerate(EDGES):
            self._edge(work, width, area, reduce and source < 2, on[edge])
            reads[source] += sum(on[edge])
        work.add("cat")
        work.backward["add"] += sum(count - 1 for count in reads.values())
        work.add("_softmax", "_softmax_backward_data")  # of the gates, once a cell
        work.backward["add"] += len(EDGES) - 1  # every edge reads its row

    def _edge(self, work: Work, width: int, area: int, stride: bool, on: Sequence[bool]) -> None:
        """Each operation times its gate, added up from zero, and added to the node; a draw reads its gates singly."""
        kinds = [kind for kind, is_on in enumerate(on) if is_on]
        work.add("mul add", "mul mul sum", times=len(kinds))
        work.add("add", "select_backward")
        if all(on):
            work.backward["stack"] += 1
        else:
            work.backward.update({"select_backward": len(kinds), "add": len(kinds) - 1})
        for kind in kinds:
            if kind == 0:
                work.add("mul", "mul" + stride * " slice_backward slice_backward")
            elif kind in (1, 2):
                name = ("max_pool2d_with_indices", "avg_pool2d")[kind - 1]
                work.add(name, f"{name}_backward")
                if self.pool_norm:
                    self._norm(work)
            elif kind == 3 and stride:
                self._halve(work, width, width, area)
            elif kind > 3:
                taps, separable = (9, 25)[kind % 2], kind < 6
                for _ in range(1 + separable):
                    work.add("relu", "threshold_backward")
                    self._conv(work, 1, width, taps, area)
                    self._conv(work, width, width, 1, area)
                    self._norm(work)

    def _end(self, work: Work, width: int) -> None:
        """Mean over the image, classifier, cross entropy."""
        if self.last_norm:
            self._norm(work, affine=True)
            work.add("relu", "threshold_backward")
        work.add("mean", "div")
        work.add("addmm", "mm mm sum", flops=2 * width * 10 * self.batch, tensors=2)
        work.add("_log_softmax nll_loss_forward", "ones_like nll_loss_backward _log_softmax_backward_data")


ALL: On = [[True] * 8] * len(EDGES)
