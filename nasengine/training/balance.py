"""How even the classes of a data set are, in words."""

from nasengine.training.dataset import Dataset

UNEVEN = 5.0  # times as many images in the largest class as in the smallest, from which on it is worth a word


def imbalance(dataset: Dataset) -> float | None:
    """Return how many times as many training images the largest class has as the smallest; None without classes."""
    balance = dataset.balance
    return None if balance is None else max(balance) / max(min(balance), 1)


def imbalance_words(dataset: Dataset) -> str | None:
    """Return a sentence where the classes are so uneven that accuracy alone misleads; None where they are not."""
    ratio, balance = imbalance(dataset), dataset.balance
    if ratio is None or balance is None or ratio < UNEVEN:
        return None
    most, least = (balance.index(number) for number in (max(balance), min(balance)))
    names = dataset.class_names
    return (
        f"data {dataset.name}: classes are uneven, {ratio:.1f} to 1: {names[most]} has {balance[most]:,} training "
        f"images, {names[least]} {balance[least]:,}; always saying {names[most]} would be "
        f"{balance[most] / sum(balance):.0%} right. Look at balanced_accuracy, and try --recipe.sampling balanced or "
        "--recipe.class_weights balanced"
    )
