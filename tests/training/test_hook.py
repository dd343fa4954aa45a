"""A user's own function: what it may return, what it is told, and whose fault an error is."""

from pathlib import Path

import pytest
import torch

from nasengine.errors import DataError
from nasengine.training.data import load

HEAD = """
import numpy as np
import torch
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

random = np.random.default_rng(0)
images = random.integers(0, 256, (60, 2, 6, 5), dtype=np.uint8)
labels = np.arange(60) % 3
tensors = TensorDataset(torch.from_numpy(images) / 255, torch.from_numpy(labels))


class Pictures:
    def __len__(self):
        return 60

    def __getitem__(self, place):
        from PIL import Image

        return Image.fromarray(images[place, 0]), int(labels[place])


"""


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    return tmp_path / "my_data.py"


def made(hook: Path, body: str, query: str = "", signature: str = ""):  # type: ignore[no-untyped-def]
    hook.write_text(f"{HEAD}def make_data({signature}):\n    {body}\n")
    return load(f"{hook}:make_data{query}")


@pytest.mark.parametrize(
    ("body", "sizes", "channels"),
    [
        ("return images.transpose(0, 2, 3, 1)[..., :1], labels", (36, 12, 12), 1),
        ("return torch.from_numpy(images), torch.from_numpy(labels)", (36, 12, 12), 2),
        ("return images, labels, images[:9], labels[:9]", (45, 15, 9), 2),
        ("return (images, labels), (images[:12], labels[:12])", (48, 12, 12), 2),
        ("return tensors", (36, 12, 12), 2),
        ("return Pictures()", (36, 12, 12), 1),
        ("return {'train': tensors, 'test': tensors}", (45, 15, 60), 2),
        ("return tensors, tensors, tensors", (60, 60, 60), 2),
        ("return DataLoader(tensors, 7, shuffle=True), DataLoader(tensors, 9)", (48, 60, 12), 2),
        ("return DataLoader(tensors, sampler=SubsetRandomSampler(range(30))), DataLoader(tensors)", (24, 60, 6), 2),
    ],
)
def test_what_a_function_may_return(hook: Path, body: str, sizes: tuple[int, ...], channels: int) -> None:
    data = made(hook, body)
    assert (len(data.train), len(data.validation), len(data.test)) == sizes
    assert (data.input, data.classes) == ((channels, 6, 5), 3)
    again = made(hook, body)
    assert again.fingerprint == data.fingerprint, "a loader's shuffling changes nothing"


def test_a_data_set_of_ours_passes_with_its_name(hook: Path) -> None:
    data = made(hook, "from nasengine.training.data import load; return load((images, labels), seed=3)")
    assert data.name == f"{hook}:make_data"


def test_words_go_to_the_function_and_the_rest_to_the_data_set(hook: Path) -> None:
    signature = "count: int = 60, size: float = 1.0"
    body = "assert isinstance(size, float); return images[:count], labels[:count]"
    data = made(hook, body, "?count=30&size=3&test=0.5&split-seed=4", signature)
    assert len(data.test) == 15
    with pytest.raises(DataError, match='the option "cuont" came.*Did you mean "count"'):
        made(hook, body, "?cuont=3", signature)
    with pytest.raises(DataError, match="setting \"count\" came as 'many'; give a whole number"):
        made(hook, body, "?count=many", signature)


def test_other_tasks_are_seen_by_their_labels(hook: Path) -> None:
    assert made(hook, "return images, labels + 0.5").task == "regression"
    assert made(hook, "return [(torch.zeros(1, 4, 4) + i, [i * 1.5, 2 - i]) for i in range(9)].__iter__()").classes == 2
    found = made(hook, "return images, (images[:, 0] > 128).astype(int)")
    assert (found.task, found.classes, found.train.labels.shape[1:]) == ("segmentation", 2, (6, 5))


def test_more_than_the_memory_takes_goes_to_disk(hook: Path) -> None:
    inside, outside = made(hook, "return tensors, tensors"), made(hook, "return tensors, tensors", "?memory=1KB")
    assert outside.streamed
    assert outside.fingerprint == inside.fingerprint
    assert torch.equal(outside.train.images[torch.arange(20)], inside.train.images[:20])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 7", "int came; arrays .* is allowed"),
        ("return None", "NoneType came"),
        ("return images", r"ndarray of shape \(60, 2, 6, 5\) came"),
        ("return {'trian': tensors}", 'trian: TensorDataset came; .*Did you mean "train"'),
        ("return {'test': tensors}", "test came; train is needed"),
        ("return [torch.zeros(3)].__iter__()", r"Tensor of shape \(3,\) came from a data set; \(image, label\)"),
        ("return iter([(torch.zeros(1, 4, 4), 0), (torch.zeros(1, 4, 5), 0)])", r"item 1 is an image of \(1, 4, 5\)"),
        ("return iter([])", "no images came"),
        ("return iter([(torch.zeros(1, 4, 4), 0), (torch.zeros(1, 4, 4), [1, 2])])", "labels of several shapes"),
        ("return iter([('a.png', 0)])", "str came as an image"),
        ("raise RuntimeError('no disk')", r"my_data.py:\d+: RuntimeError: no disk"),
        ("return images, labels * 0", "one class came"),
        ("return images, labels.astype(float)", r"all are whole numbers; .*\?task=classification or \?task=regression"),
    ],
)
def test_nonsense_is_refused_with_what_came(hook: Path, body: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        made(hook, body)


def test_functions_that_are_not_there(hook: Path, tmp_path: Path) -> None:
    hook.write_text(HEAD + "def make_data():\n    return 1\n")
    with pytest.raises(DataError, match='defines no function make_dta; there are .*Did you mean "make_data"'):
        load(f"{hook}:make_dta")
    with pytest.raises(DataError, match="no such Python file"):
        load(f"{tmp_path}/nothing.py:make_data")
    with pytest.raises(DataError, match="there is no module nasengine_nothing"):
        load("nasengine_nothing.data:make_data")
    hook.write_text("import numpy\n\nnumpy.nothing\n")
    with pytest.raises(DataError, match=r"my_data.py:3: AttributeError"):
        load(f"{hook}:make_data")
    hook.write_text("def make_data(:\n")
    with pytest.raises(DataError, match=r"my_data.py:1"):
        load(f"{hook}:make_data")


def test_an_error_inside_a_data_set_names_the_line(hook: Path) -> None:
    body = (
        "class Broken(Pictures):\n        def __getitem__(self, place):\n            return 1 / 0\n    return Broken()"
    )
    with pytest.raises(DataError, match=r"my_data.py:2\d: ZeroDivisionError"):
        made(hook, body)


def test_a_module_that_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own_pictures.py").write_text(HEAD + "def make():\n    return images, labels\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load("own_pictures:make").input == (2, 6, 5)
