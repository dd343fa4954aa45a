"""Pictures of many kinds made into one array: sizes, depths, damage, and the cache."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nasengine.errors import DataError
from nasengine.training import decode as decoding
from nasengine.training import picture_cache
from nasengine.training.data import load
from nasengine.training.data_words import Options
from nasengine.training.decode import decode, of_file
from nasengine.training.reading import Reading
from tests.training.drawn import draw, draw_folder


def decoded(*files: Path, **options: object) -> decoding.Decoded:
    return decode([of_file(file) for file in files], Reading("data here", Options(**options)))  # type: ignore[arg-type]


def save(array: np.ndarray, file: Path) -> Path:
    Image.fromarray(array).save(file)
    return file


def test_mixed_sizes_are_brought_to_one_and_the_middle_is_kept(tmp_path: Path) -> None:
    wide, tall = np.zeros((8, 24), np.uint8), np.zeros((40, 10), np.uint8)
    wide[:, 8:16], tall[15:25] = 200, 100
    files = save(wide, tmp_path / "wide.png"), save(tall, tmp_path / "tall.png")
    with pytest.raises(DataError, match=r"tall.png differs in size \(8x24 and 40x10\); one size .* such as \?size=64"):
        decoded(*files)
    pixels = decoded(*files, size=4).pixels
    assert pixels.shape == (2, 1, 4, 4)
    assert pixels[0, 0, :, 1:3].tolist() == [[200, 200]] * 4
    assert pixels[1, 0, 1:3].tolist() == [[100] * 4] * 2


def test_a_photograph_is_turned_as_the_camera_was_held(tmp_path: Path) -> None:
    array = np.zeros((16, 16), np.uint8)
    array[:8] = 250
    image, exif = Image.fromarray(array), Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "turned.png", exif=exif)
    assert decoded(tmp_path / "turned.png", size=8).pixels[0, 0, :3].max() == 0


def test_depths(tmp_path: Path) -> None:
    sixteen = save(np.full((4, 4), 0x8123, np.uint16), tmp_path / "16.png")
    grey = save(np.full((4, 4), 9, np.uint8), tmp_path / "8.png")
    clear = save(np.full((4, 4, 4), 7, np.uint8), tmp_path / "clear.png")
    assert decoded(sixteen, grey).pixels[:, 0, 0, 0].tolist() == [0x81, 9]
    assert decoded(grey, clear).pixels.shape == (2, 3, 4, 4)
    assert decoded(clear, channels="rgba").pixels[0, :, 0, 0].tolist() == [7, 7, 7, 7]
    assert decoded(grey, clear, channels="grey").pixels[:, :, 0, 0].tolist() == [[9], [7]]
    with pytest.raises(DataError, match="float.tif is no readable picture .mode F: pixels of 32 bits; 8 or 16"):
        decoded(save(np.zeros((4, 4), np.float32), tmp_path / "float.tif"))


def test_damaged_pictures_are_all_named_and_left_out_on_request(tmp_path: Path) -> None:
    root, notes = draw_folder(tmp_path / "set", size=(40, 40)), list[str]()
    for place in ("ant/3.png", "cat/0.png"):
        content = (root / place).read_bytes()
        (root / place).write_bytes(content[: len(content) // 2])  # the head is whole
    with pytest.raises(DataError) as fault:
        load(root)
    assert "2 of 24 pictures are not readable" in str(fault.value)
    assert "ant/3.png" in str(fault.value) and "cat/0.png" in str(fault.value)
    assert "?skip-damaged=true" in str(fault.value)
    (root / "bee" / "1.png").write_text("no picture")
    found = load(f"{root}?skip-damaged=true", on_note=notes.append)
    assert len(found.development) + len(found.test) == 21
    assert [Path(name).relative_to(root).as_posix() for name in found.damaged] == [
        "ant/3.png",
        "bee/1.png",
        "cat/0.png",
    ]
    assert "3 of 24 pictures are damaged and left out" in notes[0]
    streamed = load(f"{root}?skip-damaged=true&memory=0")
    assert streamed.damaged == found.damaged
    assert torch.equal(streamed.test.images[torch.arange(4)], found.test.images[:4])


def test_one_damaged_picture_among_many_is_told_with_its_name(tmp_path: Path) -> None:
    root = draw_folder(tmp_path)
    (root / "bee" / "5.png").write_text("no picture")
    with pytest.raises(DataError, match=r"bee/5.png is no readable picture \(cannot identify image file.*\); mend or"):
        load(root)


def test_pictures_are_decoded_once_and_again_when_one_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, calls = draw_folder(tmp_path / "set"), list[str]()
    seen = decoding._pixels
    monkeypatch.setattr(decoding, "_pixels", lambda one, **words: (calls.append(one.name), seen(one, **words))[1])
    first = load(f"{root}?memory=1KB")
    assert len(calls) == 24
    assert load(f"{root}?memory=1KB").fingerprint == first.fingerprint
    assert load(f"{root}?memory=1GB").fingerprint == first.fingerprint, "the cache serves the memory too"
    assert len(calls) == 24
    draw(root / "ant" / "0.png", label=2)
    assert load(f"{root}?memory=1KB").fingerprint != first.fingerprint
    assert len(calls) == 48
    assert picture_cache.clear() > 2 * 24 * 3 * 6 * 5
    assert picture_cache.clear() == 0


def test_a_disk_without_room_is_told_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = draw_folder(tmp_path / "set")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(DataError, match="No space left on device.*NASENGINE_CACHE"):
        load(f"{root}?memory=0")
    assert list(picture_cache.cache_folder().iterdir()) == []


def test_an_interrupted_decoding_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    root = draw_folder(tmp_path / "set")
    monkeypatch.setattr(decoding, "_pixels", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(f"{root}?memory=0")
    assert list(picture_cache.cache_folder().iterdir()) == []


def test_several_threads_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = draw_folder(tmp_path / "set", count=20)
    alone = load(root).fingerprint
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert load(root).fingerprint == alone


def test_progress_is_told_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasengine.training.reading.PATIENCE", 0.0)
    notes: list[str] = []
    load(draw_folder(tmp_path), on_note=notes.append)
    assert "24 of 24 pictures read" in notes[-1]
