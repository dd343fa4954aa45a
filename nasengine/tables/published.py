"""Ready mappings for published tables, by the names under which they are asked for.

The files are the published results as plain columns: `docs/tables.md` says which, and how the official ones are read.
"""

from typing import NamedTuple

from nasengine.tables.mapping import TableMapping

CELLS_201 = {"cifar10": {"timed": "cifar10"}, "cifar100": {"timed": "cifar10"}, "imagenet16": {"timed": "imagenet16"}}
ONE_VALUE = "The table has test accuracy only, which is here both objective and result."


class Published(NamedTuple):
    """Where a published table lies below NASENGINE_TABLES, and how it is read."""

    files: tuple[str, ...]
    mapping: TableMapping


def _at(epochs: int) -> dict[str, str]:
    return {"validation_accuracy": f"{{dataset}}_val_{epochs}", "test_accuracy": f"{{dataset}}_test_{epochs}"}


NASBENCH201 = TableMapping(
    space="nasbench201",
    architecture="arch_str",
    values={"params": "{dataset}_params", "macs": "{dataset}_flops"},
    fidelities={12: _at(12), 200: _at(200)},
    seconds_per_epoch="{timed}_train_s_per_epoch_est",
    objective="validation_accuracy",
    report="test_accuracy",
    datasets=CELLS_201,
    join_by="index",
    notes=(
        "NAS-Bench-201 (Dong and Yang, 2020, https://arxiv.org/abs/2001.00326): accuracies in percent, means over "
        "one to three seeds. On CIFAR-10 validation is measured after training on half of the training images, test "
        "after training on all of them.",
        "12 epochs are trainings of their own with their own schedule and one seed, not the beginning of 200.",
        "Seconds are estimated from the operations, by a model fitted to the measured times of 1,000 cells.",
    ),
)
NASBENCH_MACRO = TableMapping(
    space="nasbench_macro",
    architecture="arch",
    values={"test_accuracy": "mean_acc", "params": "params", "macs": "flops"},
    objective="test_accuracy",
    notes=(
        "NAS-Bench-Macro (Su et al., 2021, https://arxiv.org/abs/2103.11922): CIFAR-10, accuracies in percent, means "
        "over three seeds.",
        ONE_VALUE,
    ),
)
NASBENCH101 = TableMapping(
    space="nasbench101",
    architecture="hash",
    values={"test_accuracy": "test_acc_run0", "params": "params", "macs": "macs"},
    epochs=108,
    objective="test_accuracy",
    notes=(
        "NAS-Bench-101 (Ying et al., 2019, https://arxiv.org/abs/1902.09635): CIFAR-10, accuracies from 0 to 1, of "
        "the first of three runs.",
        ONE_VALUE + " One run's noise is 0.002 to 0.003, so the best entry is a lucky run as much as a good cell.",
    ),
)
NATS = TableMapping(
    space="nasbench201",
    architecture="architecture",
    values={"params": "{dataset}_params", "macs": "{dataset}_macs"},
    fidelities={epochs: {**_at(epochs), "seconds": f"{{dataset}}_seconds_{epochs}"} for epochs in (12, 200)},
    objective="validation_accuracy",
    report="test_accuracy",
    datasets={"cifar10": {}, "cifar100": {}, "imagenet16": {}},
    join_by="index",
    notes=(
        "NATS-Bench, topology (Dong et al., 2021, https://arxiv.org/abs/2009.00437), read through its own package: "
        "accuracies in percent, means over all seeds.",
        NASBENCH201.notes[1],
    ),
)
PUBLISHED = {
    "nasbench201": Published(("nasbench201.parquet",), NASBENCH201),
    "nasbench_macro": Published(("nasbench_macro.parquet",), NASBENCH_MACRO),
    "nasbench101": Published(("nasbench101.parquet", "nasbench101_test.parquet"), NASBENCH101),
}
