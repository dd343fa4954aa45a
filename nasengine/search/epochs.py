"""What a gradient search says of an epoch: its record, the same in all processes, or why it cannot go on."""

from typing import TYPE_CHECKING, Any

from nasengine.errors import TrainingError
from nasengine.search.steps import penalty_of
from nasengine.search.watch import figures
from nasengine.training.metrics import Meter
from nasengine.training.schedule import rate

if TYPE_CHECKING:
    from nasengine.search.turns import Turns

Meters = tuple[Meter, Meter]  # of the gates and of the weights


def record_of(turns: "Turns", meters: Meters) -> dict[str, Any]:
    """What was measured in the epoch that ends, and what a relaxation would settle on now."""
    of_gates, of_weights = meters
    train, gate = _read(turns, of_weights), _read(turns, of_gates) if turns.gates else {}
    record = {
        "epoch": len(turns.history) + 1,
        **{f"train_{name}": value for name, value in train.items()},
        **{f"gate_{name}": value for name, value in gate.items()},
        "lr": turns.optimizer.param_groups[0]["lr"],
    }
    return record | (_settled(turns) if turns.largest is None else {"architecture": turns.largest.to_json()})


def agreed(turns: "Turns", record: dict[str, Any]) -> dict[str, Any]:
    """The first process' record; TrainingError where another one settles on another architecture."""
    found = turns.group.first(lambda: record)
    if turns.group.least(int(record["architecture"] == found["architecture"])) == 0:
        raise TrainingError(
            f"supernet of {turns.space.name}: the processes settled on different architectures in epoch "
            f"{record['epoch']}; {type(turns.relaxation).__name__} must draw from the generator that it is given, "
            "and from no other source"
        )
    return found


def refuse_broken(turns: "Turns", meters: Meters, last: bool = False) -> None:
    """TrainingError where a loss was no finite number; on a GPU looked for only now and then, or at the `last` step."""
    epoch = len(turns.history)
    for what, meter in zip(("gates", "weights"), meters, strict=True):
        step = meter.first_broken(last)
        if step is not None:
            lr = rate(turns.recipe, epoch + step / turns.steps)
            raise TrainingError(
                f"supernet of {turns.space.name}: the loss of the {what} was no finite number in epoch {epoch + 1}, "
                f"step {step + 1} (of {turns.steps}), with {turns.recipe.optimizer} at lr {lr:.3g}; try a smaller "
                "lr or a clip of 1 to 5 in the supernet's recipe, or a smaller gate_rate of the strategy"
            )


def _settled(turns: "Turns") -> dict[str, Any]:
    """What a relaxation would settle on now, and how near its gates are to a collapse."""
    relaxation = turns.relaxation
    assert hasattr(relaxation, "settle")
    architecture, gates = relaxation.settle(), relaxation.gates()
    return {
        "penalty": float(penalty_of(relaxation).detach()),
        **figures(turns.space, architecture, gates),
        "architecture": architecture.to_json(),
        "outside": list(getattr(relaxation, "outside", ())),
    }


def _read(turns: "Turns", meter: Meter) -> dict[str, float]:
    return turns.group.mean(meter.read(), sum(meter.sizes))
