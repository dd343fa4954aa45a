"""What a data set is, in words, tables and JSON."""

from typing import Any

from nasengine.console.output import emit, note, number, say, table

CLASSES = 20  # shown; the rest are counted


def describe(name: str, limit: int | None, as_json: bool) -> None:
    """Read a data set and print its facts."""
    from nasengine.training.data import load

    found = facts(load(name, limit=limit, on_note=note))
    if as_json:
        emit(found)
        return
    say(_summary(found))
    if found["task"] == "classification":
        say("")
        _classes(found)
    if found["uneven"]:
        note(f"\n{found['uneven']}")


def clear(as_json: bool) -> None:
    """Remove the decoded pictures on disk."""
    from nasengine.training.picture_cache import cache_folder, clear

    removed = clear()
    if as_json:
        emit({"folder": str(cache_folder()), "removed_bytes": removed})
    else:
        say(f"{size(removed)} of decoded pictures removed from {cache_folder()}")


def facts(dataset: Any) -> dict[str, Any]:
    """All that is known of a data set, as JSON takes it."""
    from nasengine.training.balance import imbalance, imbalance_words

    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    channels, height, width = dataset.input
    images = {name: len(part) for name, part in parts.items()}
    return {
        "data": dataset.name,
        "task": dataset.task,
        "input": list(dataset.input),
        "outputs": dataset.classes,
        "names": list(dataset.class_names),
        "images": images,
        "split": dict(dataset.split),
        "classes": {name: _counts(part, dataset) for name, part in parts.items()},
        "imbalance": imbalance(dataset),
        "uneven": imbalance_words(dataset),
        "bytes": 4 * channels * height * width * sum(images.values()),
        "streamed": str(dataset.train.images.file) if dataset.streamed else None,
        "mean": list(dataset.mean),
        "std": list(dataset.std),
        "target_mean": list(dataset.target_mean),
        "target_std": list(dataset.target_std),
        "damaged": list(dataset.damaged),
        "fingerprint": dataset.fingerprint,
    }


def _counts(part: Any, dataset: Any) -> list[int] | None:
    import torch

    if dataset.task != "classification":
        return None
    return torch.bincount(part.labels, minlength=dataset.classes).tolist()


def _summary(found: dict[str, Any]) -> str:
    channels, height, width = found["input"]
    images, task, outputs = found["images"], found["task"], found["outputs"]
    what = {
        "classification": f"classification, {outputs} classes",
        "regression": f"regression, {outputs} targets: {', '.join(found['names'])}",
        "segmentation": f"segmentation, {outputs} classes of pixels",
    }[task]
    lines = [
        ("data", found["data"]),
        ("task", what),
        ("images", f"{channels} x {height} x {width} (channels, height, width)"),
        ("parts", ", ".join(f"{name} {number(count)}" for name, count in images.items())),
        ("split", _split_words(found["split"])),
        ("mean", _figures(found["mean"])),
        ("deviation", _figures(found["std"])),
    ]
    if task == "regression":
        lines.append(("targets", f"mean {_figures(found['target_mean'])}, deviation {_figures(found['target_std'])}"))
    if found["imbalance"] is not None:
        lines.append(("imbalance", f"{found['imbalance']:.1f} to 1, the largest class to the smallest"))
    where = f"on disk, in {found['streamed']}" if found["streamed"] else "in memory"
    lines.append(("size", f"{size(found['bytes'])} as float32, {where}"))
    if found["damaged"]:
        shown = ", ".join(found["damaged"][:5]) + (", …" if len(found["damaged"]) > 5 else "")
        lines.append(("left out", f"{len(found['damaged'])} damaged: {shown}"))
    lines.append(("fingerprint", found["fingerprint"][:16]))
    return "\n".join(f"{name:<12} {text}" for name, text in lines)


def _split_words(split: dict[str, Any]) -> str:
    """How the parts came about; a set that was put together by hand says nothing."""
    if not split:
        return "as it was made"
    own = [name for name in ("validation", "test") if split[name] is None]
    drawn = [
        f"{split[name]:.0%} of {among} for {name}"
        for name, among in (("test", "all"), ("validation", "the rest"))
        if split[name] is not None
    ]
    words = ", ".join([*([f"{' and '.join(own)} as the set brings them"] if own else []), *drawn])
    limit = f"; limit {number(split['limit'])}" if split["limit"] else ""
    return f"{words}; seed {split['seed']}{limit}"


def _classes(found: dict[str, Any]) -> None:
    parts = found["classes"]
    rows = [
        (name, *(number(parts[part][place]) for part in parts)) for place, name in enumerate(found["names"][:CLASSES])
    ]
    table(["class", *parts], rows, right=list(parts))
    if len(found["names"]) > CLASSES:
        say(f"… and {len(found['names']) - CLASSES} more classes")


def _figures(values: list[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def size(count: float) -> str:
    """Bytes as a person says them: 512 B, 1.5 MB, 20 GB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
