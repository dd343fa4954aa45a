"""The command latency, with its flags: what networks take on a device."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, PICK, Db, Dotted, Json, SpaceName

Devices = Annotated[
    list[str] | None,
    Parameter(help="cpu, cpu:2 (threads), cuda:0, onnxruntime, or one of a published table; again for more."),
]


def latency(
    *,
    space: SpaceName = "darts",
    architecture: Annotated[str | None, PICK] = None,
    device: Devices = None,
    samples: Annotated[
        int | None, Parameter(help="Measure so many random networks, and say how good the table of layers is.")
    ] = None,
    seed: Annotated[int, Parameter(help="Decides which random networks.")] = 0,
    folder: Annotated[str, Parameter(help="Where timings are kept.")] = "results/latency",
    db: Db = DB,
    json: Json = False,
    space_settings: Dotted = None,
) -> None:
    """Measure what an architecture takes on a device, whole and layer by layer; or how good such estimates are.

    Give --architecture NAME, or --samples 20 to fill the table of layers of a space and to hear its error, and
    Kendall's tau of estimated and measured latency beside that of multiply-adds. Without --device it is cpu.
    """
    from nasengine.console.measuring import measured, sampled

    names = device or ["cpu"]
    if samples is None:
        measured(space, architecture, names, space_settings or {}, folder, db, json)
    else:
        sampled(space, samples, names, space_settings or {}, folder, seed, json)


COMMANDS = (latency,)
