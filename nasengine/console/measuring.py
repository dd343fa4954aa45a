"""What networks take on devices: one of them whole and by layers, or many to say how good the table of layers is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.console.flags import named
from nasengine.console.output import emit, note, number, say, table
from nasengine.errors import NasError
from nasengine.hardware.agreement import Agreement, compare
from nasengine.hardware.device import is_measured
from nasengine.hardware.figures import Figures, values_of
from nasengine.interpreters.cost import cost
from nasengine.interpreters.shape import trace
from nasengine.runs import picks_of
from nasengine.space import Architecture, Space

Settings = Mapping[str, Any]
SLOWEST = 10  # layers that are shown
NOISY = 0.2  # spread of a measurement that others disturbed


def measured(
    name: str, chosen: str | None, devices: Sequence[str], given: Settings, folder: str, db: str, json: bool
) -> None:
    """Measure one architecture anew on every device, and show its slowest layers."""
    if chosen is None:
        raise NasError("latency: neither --architecture nor --samples came; name a network, or how many random ones")
    picks, published = picks_of(name, chosen, named(db))
    space = plugins.load_space(name, {**published, **given})
    architecture = space.check(picks)
    figures = _figures(space, devices, folder)
    found = [_found(figures, architecture, device) for device in devices]
    counted = cost(space, architecture)
    if json:
        emit({"space": name, "architecture": chosen, "settings": space.settings, **vars(counted), "devices": found})
        return
    say(f"{chosen} in {name}: {number(counted.params)} parameters, {number(counted.macs)} multiply-adds an image\n")
    table(["device", "value", "median", "middle half", "runs", "by layers", "off by"], map(_row, found))
    for one in found:
        if "layers" in one:
            say(f"\nThe slowest of {len(one['layers'])} layers on {one['device']}, each measured alone:")
            _show_slowest(one["layers"])
        _note(one)


def sampled(
    name: str, number_of: int, devices: Sequence[str], given: Settings, folder: str, seed: int, json: bool
) -> None:
    """Measure random networks whole and by layers, and say how well the one foretells the other."""
    space = plugins.load_space(name, given)
    tabled = [device for device in devices if not is_measured(device)]
    figures = _figures(space, devices, folder)
    if tabled:
        raise NasError(f"latency: --samples is for devices that are measured; {', '.join(tabled)} is a published table")
    found = {device: compare(figures.table(device), space, number_of, seed) for device in devices}
    facts = [_agreement(device, one, figures) for device, one in found.items()]
    if json:
        emit({"space": name, "settings": space.settings, "seed": seed, "devices": facts})
        return
    columns = ["device", "networks", "median ms", "error", "tau", "tau of multiply-adds", "timings kept", "kept in"]
    table(columns, map(_agreement_row, facts), right=columns[1:-1])
    say("error: the median of |estimate / measurement - 1|; tau: Kendall's, of estimates and measurements")


def _figures(space: Space, devices: Sequence[str], folder: str) -> Figures:
    return Figures(space, [name for device in devices for name in values_of(space, device)], folder=Path(folder))


def _found(figures: Figures, architecture: Architecture, device: str) -> dict[str, Any]:
    """Everything about one network on one device."""
    space = figures.space
    if not is_measured(device):
        names = values_of(space, device)
        values = figures.measure(architecture)
        return {"device": device, **{n.partition("@")[0]: values[n] for n in names}, "facts": figures.facts()[names[0]]}
    held = figures.table(device)
    timing, estimated = held.measure(space, architecture, again=True), held.estimate(space, architecture)
    return {
        "device": device,
        "latency_ms": timing.median,
        "quartiles_ms": [timing.low, timing.high],
        "spread": timing.spread,
        "runs": timing.runs,
        "estimated_ms": estimated,
        "error": estimated / timing.median - 1,
        "layers": _layers(space, architecture, held.layers(space, architecture)),
        "facts": held.facts(space),
    }


def _layers(space: Space, architecture: Architecture, taken: Mapping[str, float]) -> list[dict[str, Any]]:
    """The layers, slowest first."""
    shapes, _ = trace(space, architecture)
    met = {place: shapes.layers[place] for place in sorted(taken, key=lambda place: -taken[place])}
    return [
        {"place": place, "layer": layer.__name__, "inputs": inputs, "latency_ms": taken[place]}
        for place, (layer, _, inputs) in met.items()
    ]


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    energy = f", {one['energy_mj']:.4g} mJ" if "energy_mj" in one else ""
    if "runs" not in one:
        latency = f"{one['latency_ms']:.4g} ms" if "latency_ms" in one else ""
        return one["device"], "published", f"{latency}{energy}".strip(", "), "", "", "", ""
    low, high = one["quartiles_ms"]
    return (
        one["device"],
        "measured",
        f"{one['latency_ms']:.4g} ms",
        f"{low:.4g} to {high:.4g}",
        str(one["runs"]),
        f"{one['estimated_ms']:.4g} ms",
        f"{one['error']:+.1%}",
    )


def _show_slowest(layers: Sequence[Mapping[str, Any]]) -> None:
    whole = sum(layer["latency_ms"] for layer in layers) or 1.0
    rows = []
    for one in layers[:SLOWEST]:
        inputs = " and ".join("x".join(map(str, shape)) for shape in one["inputs"])
        taken = one["latency_ms"]
        rows.append((one["place"], one["layer"], inputs, f"{taken:.4g}", f"{taken / whole:.0%}"))
    table(["place", "layer", "input", "ms", "of the sum"], rows, right=["ms", "of the sum"])


def _note(one: Mapping[str, Any]) -> None:
    """Say what to know about a device's figures."""
    if one.get("spread", 0.0) > NOISY:
        note(
            f"{one['device']}: the middle half of the runs spreads by {one['spread']:.0%} of the median; "
            "something else runs on this machine: measure again when it is quiet"
        )
    for remark in ("differs", "note"):
        if remark in one["facts"]:
            note(f"{one['device']}: {one['facts'][remark]}")


def _agreement(device: str, one: Agreement, figures: Figures) -> dict[str, Any]:
    held = figures.table(device)
    return {
        "device": device,
        "networks": [{"architecture": each.architecture.to_json(), **_numbers(each)} for each in one.networks],
        "error": one.error,
        "tau": one.tau,
        "tau_of_macs": one.tau_of_macs,
        "timings": len(held.store),
        "facts": held.facts(figures.space),
    }


def _numbers(one: Any) -> dict[str, float]:
    return {"latency_ms": one.measured, "estimated_ms": one.estimated, "error": one.error, "macs": one.macs}


def _agreement_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    middle = sorted(each["latency_ms"] for each in one["networks"])[len(one["networks"]) // 2]
    return (
        one["device"],
        str(len(one["networks"])),
        f"{middle:.4g}",
        f"{one['error']:.1%}",
        f"{one['tau']:.3f}",
        f"{one['tau_of_macs']:.3f}",
        str(one["timings"]),
        one["facts"]["kept"],
    )
