"""Which images are for training, validation and the test: seeded, and in proportion to the classes."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from nasengine.errors import DataError
from nasengine.training.raw import Array, Raw

Indices = NDArray[np.int64]


def split(
    raw: Raw, seed: int, limit: int | None, validation: float, test: float, place: str
) -> tuple[Indices, Indices, Indices | None]:
    """Return the places of training, validation and test images; test is None where the set brings its own.

    The test images depend on the seed and never on the limit, which counts training and validation images together.
    """
    random = np.random.default_rng(seed)
    rest, tested = np.arange(len(raw.labels)), None
    if raw.test is None:
        tested = stratified(raw.labels, rest, max(round(test * len(rest)), len(raw.class_names)), random)
        rest = np.setdiff1d(rest, tested)
    if limit is not None:
        least = 2 * len(raw.class_names)
        if limit < least:
            raise DataError(f"{place}: limit {limit} came; from {least} up is allowed, two for each class")
        if limit < len(rest):
            rest = stratified(raw.labels, rest, limit, random, least=2, spare=0)
    checking = stratified(raw.labels, rest, max(round(validation * len(rest)), len(raw.class_names)), random)
    return np.setdiff1d(rest, checking), checking, tested


def stratified(
    labels: Array, among: Indices, count: int, random: np.random.Generator, least: int = 1, spare: int = 1
) -> Indices:
    """Return `count` of the places `among`, in order, every class in proportion.

    At least `least` of each class are taken and, where there are enough, `spare` of each are left.
    """
    classes, members = np.unique(labels[among], return_counts=True)
    share, most = count * members / members.sum(), np.maximum(members - spare, least)
    take = np.clip(np.floor(share).astype(int), least, most)
    while gap := int(np.sign(count - take.sum())):
        room = take < most if gap > 0 else take > least
        if not room.any():
            break
        take[np.argmax(np.where(room, gap * (share - take), -np.inf))] += gap
    chosen = [
        random.permutation(among[labels[among] == label])[:amount] for label, amount in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def fingerprint(raw: Raw, *settings: object) -> str:
    """Return the sha256 of all images and labels and of what decides the split."""
    digest = hashlib.sha256(repr(settings).encode())
    for array in (raw.images, raw.labels, *(raw.test or ())):
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
