"""Further values from a second file."""

from pathlib import Path

import pytest

from nasengine.errors import TableError
from nasengine.tables import load_table
from tests.tables.conftest import MAPPING, Write

ROWS = ("n,9", "c5,5", "c3,3", "other,0")


def other(path: Path, rows: tuple[str, ...] = ROWS, names: str = "arch,milliseconds") -> str:
    file = path.with_name("other.csv")
    file.write_text("\n".join((names, *rows)))
    return str(file)


def test_rows_are_matched_whatever_their_order(write: Write) -> None:
    path = write()
    table = load_table(path, join=(other(path),))
    assert [table.at(row)["milliseconds"] for row in range(3)] == [3, 5, 9]
    assert table.fingerprint != load_table(path).fingerprint


def test_joined_values_are_there_at_every_fidelity(write: Write) -> None:
    mapping = MAPPING.replace("[values]", "[fidelities.1]\nvalidation_accuracy = 'test'\n[fidelities.2]")
    path = write(mapping=mapping)
    table = load_table(path, join=(other(path),))
    assert table.at(0, epochs=1)["milliseconds"] == table.at(0, epochs=2)["milliseconds"] == 3


def test_words_in_the_other_file_are_passed_over(write: Write) -> None:
    path = write()
    joined = other(path, ("n,9,slow", "c5,5,", "c3,3,fast"), "arch,milliseconds,remark")
    assert set(load_table(path, join=(joined,)).values) == {"validation_accuracy", "test_accuracy", "milliseconds"}


@pytest.mark.parametrize(
    ("rows", "names", "fault"),
    [
        (("n,9",), "arch,ms", "2 rows are not in the joined file; their arch: c3, c5"),
        ((*ROWS, "n,8"), "arch,ms", "1 rows of the joined file repeat the arch of another: row 4 as row 0"),
        (("n,", *ROWS[1:]), "arch,ms", r"column ms: 1 of 4 rows hold no finite number: row 0 \(nothing\)"),
        (ROWS, "arch,validation_accuracy", 'value "validation_accuracy" is there already'),
        (ROWS, "architecture,ms", 'joined by the column "arch", which .*other.csv does not have; .*Did you mean'),
        (("n,a", "c5,b", "c3,c"), "arch,ms", "the joined file has no column of numbers"),
    ],
)
def test_what_is_refused(write: Write, rows: tuple[str, ...], names: str, fault: str) -> None:
    path = write()
    with pytest.raises(TableError, match=fault):
        load_table(path, join=(other(path, rows, names),))


def test_a_file_that_is_not_there(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASENGINE_TABLES", raising=False)
    with pytest.raises(
        TableError, match=r'join: "nowhere" came, .*NASENGINE_TABLES \(not set\); by name there are none'
    ):
        load_table(write(), join=("nowhere",))
