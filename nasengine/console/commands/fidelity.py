"""The fidelity command with its flags: how far values with inherited weights can be trusted."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Dotted, Json, Line

Limit = Annotated[int | None, Parameter(help="The same as the supernet's search had.")]


def fidelity(
    name: str,
    /,
    *,
    samples: Annotated[int, Parameter(help="So many networks; more may be added later.")] = 10,
    seed: Annotated[int, Parameter(help="Decides which networks, and their trainings.")] = 0,
    epochs: Annotated[int | None, Parameter(help="Epochs of each training; without, the recipe's.")] = None,
    recipe: Annotated[str, Parameter(help="The recipe of the trainings, such as proxy or final.")] = "proxy",
    batches: Annotated[int, Parameter(help="Training batches for the statistics of norms.")] = 20,
    limit: Limit = None,
    record_as: Annotated[
        str | None, Parameter(name="--name", help="The name to record under; without, NAME-fidelity.")
    ] = None,
    draw: Annotated[str | None, Parameter(help="Draw the pairs into this .svg, .png or .pdf.")] = None,
    db: Db = DB,
    json: Json = False,
    recipe_values: Dotted = None,
    line: Line = "",
) -> int:
    """Compare networks with a supernet's weights to the same networks trained: Kendall's tau with its interval.

    NAME is the search that trained the supernet, or one that searched with its weights. The same command goes on where
    it was stopped, and only reports where all is done; --recipe.lr 0.01 and the like set the trainings.
    """
    from nasengine.console.fidelity_report import compare

    words = {
        "samples": samples, "seed": seed, "epochs": epochs, "batches": batches, "limit": limit, "record_as": record_as,
        "recipe_name": recipe, "recipe_values": recipe_values,
    }  # fmt: skip
    return compare(name, words, draw=draw, db=db, json=json, line=line)


COMMANDS = (fidelity,)
