"""A CSV of pictures: its columns, its labels, and what is wrong in which line."""

from pathlib import Path

import pytest
import torch

from nasengine.errors import DataError
from nasengine.training.data import load
from tests.training.drawn import CLASSES, draw_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "pictures", count=6)


def write(folder: Path, head: str, *rows: str, sign: str = ",") -> Path:
    file = folder.parent / "set.csv"
    file.write_text("\n".join([head, *rows]).replace(",", sign) + "\n", encoding="utf-8-sig")
    return file


def rows_of(folder: Path, *more: object) -> list[str]:
    """A row each with the path, the number, the class, and what is asked for besides."""
    return [
        ",".join(map(str, [f"pictures/{name}/{number}.png", name, *(one[number] for one in more)]))  # type: ignore[index]
        for name in CLASSES
        for number in range(6)
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_words_are_classes(folder: Path, sign: str) -> None:
    data = load(write(folder, "path,label", *rows_of(folder), sign=sign))
    assert (data.task, data.class_names, data.input) == ("classification", CLASSES, (3, 6, 5))
    assert len(data.development) + len(data.test) == 18
    brightness = [data.train.images[data.train.labels == label].mean().item() for label in range(3)]
    assert brightness == sorted(brightness)


def test_whole_numbers_are_names_in_their_order(folder: Path) -> None:
    rows = [row.replace(",cat", ",10").replace(",bee", ",9").replace(",ant", ",2") for row in rows_of(folder)]
    assert load(write(folder, "path,label", *rows)).class_names == ("2", "9", "10")


def test_a_column_says_the_parts(folder: Path) -> None:
    parts = ["train", "Train", "val", "validation", "test", "train"]
    data = load(write(folder, "path,label,split", *rows_of(folder, parts)))
    assert (len(data.train), len(data.validation), len(data.test)) == (9, 6, 3)
    limited = load(write(folder, "path,label,split", *rows_of(folder, parts)), limit=9)
    assert (len(limited.train), len(limited.validation), len(limited.test)) == (5, 4, 3)


def test_numbers_with_a_point_are_a_regression(folder: Path) -> None:
    data = load(write(folder, "path,kind,label", *rows_of(folder, [0.5, 1, 2.5, -3, 4, 1e3])))
    assert (data.task, data.classes, data.class_names, data.balance) == ("regression", 1, ("label",), None)
    assert data.train.labels.shape == (len(data.train), 1)
    assert data.train.labels.dtype == torch.float32
    assert data.train.labels.mean().item() == pytest.approx(0, abs=1e-6)
    assert data.train.labels.std().item() == pytest.approx(1, abs=1e-6)
    back = data.test.labels * data.target_std[0] + data.target_mean[0]
    assert set(back.flatten().round(decimals=3).tolist()) <= {0.5, 1, 2.5, -3, 4, 1000}


def test_several_label_columns_are_targets(folder: Path) -> None:
    file = write(folder, "path,kind,width,height", *rows_of(folder, range(6), range(7, 20)))
    data = load(f"{file}?label=width,height")
    assert (data.task, data.classes, data.class_names) == ("regression", 2, ("width", "height"))
    assert load(f"{file}?label=width").class_names == ("0", "1", "2", "3", "4", "5")
    assert load(f"{file}?label=width&task=regression").task == "regression"


def test_missing_files_are_told_with_their_lines(folder: Path) -> None:
    rows = rows_of(folder)
    rows[3] = "pictures/ant/nothing.png,ant"
    rows[7:] = [f"gone/{number}.png,bee" for number in range(20)]
    with pytest.raises(DataError) as fault:
        load(write(folder, "path,label", *rows))
    assert 'line 5: the file "pictures/ant/nothing.png" is not there; paths are relative to' in str(fault.value)
    assert "and 11 more" in str(fault.value)


@pytest.mark.parametrize(
    ("head", "row", "query", "words"),
    [
        ("path,label", "pictures/ant/0.png,", "", 'line 20: an empty "label" came'),
        ("path,label", "pictures/ant/0.png", "", "line 20: not 2 cells as in the first line"),
        ("path,label,split", "pictures/ant/0.png,ant,tset", "", 'line 20: split "tset" came; .*Did you mean "test"'),
        ("path,label", "pictures/ant/0.png,ant", "?label=labl", 'no column is called "labl"; .*Did you mean "label"'),
        ("path,label", "pictures/ant/0.png,ant", "?column=paht", 'no column is called "paht"; .*Did you mean "path"'),
        ("picture,kind", "pictures/ant/0.png,ant", "", "columns picture, kind came; path and label are needed"),
        ("path,label", "pictures/ant/0.png,x", "?task=regression", 'line 2: "ant" came; a number is needed'),
    ],
)
def test_faults_are_told_with_their_place(folder: Path, head: str, row: str, query: str, words: str) -> None:
    rows = rows_of(folder, ["train"] * 6) if "split" in head else rows_of(folder)
    with pytest.raises(DataError, match=words):
        load(f"{write(folder, head, *rows, row)}{query}")


def test_what_is_no_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a readable CSV in UTF-8"):
        load(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("path,label\n")
    with pytest.raises(DataError, match="a CSV without rows came"):
        load(tmp_path / "b.csv")
