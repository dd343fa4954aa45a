"""The flags that commands share, each with its one sentence of help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nasengine.console.words import Settings

Dotted = Annotated[Settings | None, Parameter(parse=False)]
Line = Annotated[str, Parameter(parse=False)]  # the command as it was typed

Json = Annotated[bool, Parameter(name="--json", help="Print JSON on standard output, and nothing else there.")]
Db = Annotated[str, Parameter(help="The results database: a SQLite file or any SQLAlchemy URL.")]
SpaceName = Annotated[str, Parameter(help="A name of `nasengine spaces`, ./my_file.py, or package.module.")]
SearchName = Annotated[str | None, Parameter(help="The search; without, the newest one.")]
DATA_WORDS = (
    "digits, fashion-mnist, hf:OWNER/NAME, a folder of pictures, an .npz, .csv or .parquet, or ./file.py:function; "
    "options such as --data.size 64: `nasengine data --help`."
)
Data = Annotated[str, Parameter(help=DATA_WORDS)]
Limit = Annotated[int | None, Parameter(help="Use only so many of the training and validation images.")]
Which = Annotated[str, Parameter(help="best, final, final-N where there are several, or a candidate's number.")]
PICK = Parameter(help="A published name, a JSON file or text of picks, or SEARCH:TRIAL such as darts-pr-darts-1:best.")
RecipeName = Annotated[
    str | None, Parameter(name="--recipe", help="The recipe of the final training, such as final or darts-cifar10.")
]
Dataset = Annotated[str | None, Parameter(help="Which of the table's data sets, such as cifar100.")]
Mapping = Annotated[str | None, Parameter(help="The file that says what the table's columns are.")]
Join = Annotated[
    list[str] | None,
    Parameter(help="Further values for the table's rows, such as latencies; again for more."),
]
DB = "results/nasengine.db"  # equal to nasengine.ledger.DEFAULT, which would load SQLAlchemy


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SearchFlags:
    """What a search is told; the names are those of `nasengine.plan.make`."""

    space: Annotated[str | None, Parameter(help="A space's name or file; without, darts, or that of the table.")] = None
    strategy: Annotated[str, Parameter(help="A name of `nasengine strategies`, a file or a module.")] = "pr-darts"
    data: Annotated[str | None, Parameter(help=f"{DATA_WORDS} Without, digits, or that of the supernet.")] = None
    name: Annotated[str | None, Parameter(help="The search's name; the same command and name go on with it.")] = None
    trials: Annotated[int | None, Parameter(help="How many candidates are trained; not for a supernet.")] = None
    epochs: Annotated[int | None, Parameter(help="Epochs of the supernet, or else of each candidate.")] = None
    hours: Annotated[
        float | None, Parameter(help="End the search after so many hours; what is chosen is trained after that.")
    ] = None
    gpu_hours: Annotated[float | None, Parameter(help="The same, in hours of GPUs, over all runs of the search.")] = (
        None
    )
    seed: Annotated[int, Parameter(help="Decides every random number.")] = 0
    limit: Limit = None
    evaluator: Annotated[
        str | None,
        Parameter(help="How candidates are measured; without, train, or what --table, --supernet or --proxy says."),
    ] = None
    supernet: Annotated[
        str | None, Parameter(help="Take candidates' weights from this search's supernet; nothing is trained for them.")
    ] = None
    final_by: Annotated[
        str,
        Parameter(
            name="--final",
            help="The chosen network: train it anew, finetune the supernet's weights, or inherit these as they are.",
        ),
    ] = "train"
    proxy: Annotated[
        str | None, Parameter(help="Score candidates without training: synflow, naswot, zico, az-nas, params, ….")
    ] = None
    executor: Annotated[
        str, Parameter(help="Where networks are trained: inline (this process), local (several), ray (a cluster).")
    ] = "inline"
    workers: Annotated[int, Parameter(help="How many are trained at once; of a supernet, how many share it.")] = 1
    gpus_per_worker: Annotated[float, Parameter(help="GPUs of a worker; 0.5 lets two share one.")] = 0.0
    cores_per_worker: Annotated[int | None, Parameter(help="Without, an equal share of this machine's.")] = None
    address: Annotated[
        str | None, Parameter(help="The Ray cluster: auto or HOST:PORT; for local, where to wait for workers.")
    ] = None
    job_timeout: Annotated[float | None, Parameter(help="Give a candidate up after so many seconds.")] = None
    retries: Annotated[int, Parameter(help="How often a job is begun again when its worker dies.")] = 2
    files: Annotated[
        str | None, Parameter(help="Where weights and checkpoints go: a shared folder, or a URL such as s3://….")
    ] = None
    stopper: Annotated[str | None, Parameter(help="End bad candidates early: asha, hyperband, median, or none.")] = None
    stop_by: Annotated[str | None, Parameter(help="By which value of their epochs; validation_accuracy.")] = None
    order: Annotated[str, Parameter(help="How results reach the strategy: by arrival, or by proposal.")] = "arrival"
    reuse: Annotated[
        bool, Parameter(negative="--no-reuse", help="Take results of equal trainings from the database.")
    ] = True
    objective: Annotated[
        list[str] | None,
        Parameter(help="accuracy, min:params, 'params<3M', 'latency<8ms@cpu', …; again for more (docs/objectives.md)."),
    ] = None
    reward: Annotated[
        str, Parameter(help="What bounds are: a constraint, or a soft or hard factor of the first objective.")
    ] = "constraint"
    warm_start: Annotated[
        list[str] | None, Parameter(help="A search whose results the strategy is told first; may be given again.")
    ] = None
    table: Annotated[str | None, Parameter(help="Take results from this table: a short name, or a file.")] = None
    dataset: Dataset = None
    mapping: Mapping = None
    join: Join = None
    policy: Annotated[str, Parameter(help="Which gates of a supernet decide: last, or best by validation.")] = "last"


def named(db: str) -> str | Path:
    """A database's URL as it is, a file as a path."""
    return db if "://" in db else Path(db)
