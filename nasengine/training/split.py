"""Which images are for training, validation and the test: seeded, and in proportion to the classes."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from nasengine.errors import DataError
from nasengine.training.raw import Array, Images, Raw
from nasengine.training.streamed import Streamed, pieces

Indices = NDArray[np.int64]


def split(
    raw: Raw, seed: int, limit: int | None, validation: float, test: float, place: str
) -> tuple[Indices, Indices | None, Indices | None]:
    """Return the places of training, validation and test images; None for a part that the set brings itself.

    The test images depend on the seed and never on the limit, which counts training and validation images together.
    """
    random = np.random.default_rng(seed)
    groups, count = _groups(raw.labels, raw)
    rest, tested = np.arange(len(raw.labels)), None
    if raw.test is None:
        tested = stratified(groups, rest, max(round(test * len(rest)), count), random)
        rest = np.setdiff1d(rest, tested)
    least = 2 * count
    if limit is not None and limit < least:
        raise DataError(f"{place}: limit {limit} came; from {least} up is allowed, two for each class")
    if raw.validation is not None:
        return _limited(groups, rest, limit, len(raw.validation[1]), random), None, tested
    if limit is not None and limit < len(rest):
        rest = stratified(groups, rest, limit, random, least=2, spare=0)
    checking = stratified(groups, rest, max(round(validation * len(rest)), count), random)
    return np.setdiff1d(rest, checking), checking, tested


def limited_validation(raw: Raw, limit: int | None, seed: int) -> Indices:
    """Return which of the set's own validation images stay under a limit: in proportion to the training images."""
    assert raw.validation is not None
    groups, _ = _groups(raw.validation[1], raw)
    every = np.arange(len(groups))
    return _limited(groups, every, limit, len(raw.labels), np.random.default_rng(seed))


def _limited(groups: Array, among: Indices, limit: int | None, others: int, random: np.random.Generator) -> Indices:
    """Return the share of a limit that falls to some images, where `others` have the rest of it."""
    if limit is None or limit >= len(among) + others:
        return among
    share = max(round(limit * len(among) / (len(among) + others)), 1)
    return stratified(groups, among, share, random, spare=0)


def _groups(labels: Images, raw: Raw) -> tuple[Array, int]:
    """Return what images are drawn in proportion to, and the number of such groups: classes, or one of all."""
    if raw.task in (None, "classification"):
        return labels, len(raw.class_names)  # type: ignore[return-value]
    return np.zeros(len(labels), np.int64), 1


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
    if raw.validation is not None:
        digest.update(b"validation")
    for numbers in (raw.images, raw.labels, *(raw.test or ()), *(raw.validation or ())):
        kind = numbers.kind if isinstance(numbers, Streamed) else numbers.dtype
        digest.update(f"{tuple(numbers.shape)}{kind}".encode())
        for some in pieces(numbers):
            digest.update(np.ascontiguousarray(some).data)
    return digest.hexdigest()
