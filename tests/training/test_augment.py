import torch

from nasengine.training.augment import augment, augment_both, pixels
from nasengine.training.recipe import Recipe


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_asked_nothing_changed():
    images = torch.randn(4, 3, 8, 8)
    random = generator()
    before = random.get_state()
    assert augment(images, Recipe(), random) is images
    assert torch.equal(random.get_state(), before)


def test_each_crop_is_a_window_of_its_own_padded_picture():
    images = torch.randn(64, 3, 6, 7)
    cropped = augment(images, Recipe(crop=2), generator())
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    found = set()
    for number in range(64):
        places = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if torch.equal(padded[number, :, top : top + 6, left : left + 7], cropped[number])
        ]
        assert len(places) == 1
        found.update(places)
    assert len(found) > 15, "shifts must differ within a batch"
    assert {top for top, _ in found} == {left for _, left in found} == set(range(5))


def test_flip_mirrors_about_half_of_the_pictures_left_to_right():
    images = torch.randn(400, 1, 5, 5)
    flipped = augment(images, Recipe(flip=True), generator())
    mirrored = torch.tensor([torch.equal(a, b) for a, b in zip(flipped, images.flip(3), strict=True)])
    same = torch.tensor([torch.equal(a, b) for a, b in zip(flipped, images, strict=True)])
    assert bool((mirrored ^ same).all())
    assert 150 < int(mirrored.sum()) < 250


def test_cutout_blanks_one_square_clipped_at_the_border():
    """DeVries and Taylor, 2017, https://arxiv.org/abs/1708.04552."""
    images = torch.ones(2000, 2, 10, 10)
    holes = augment(images, Recipe(cutout=4), generator()) == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    rows, columns = holes[:, 0].any(2).sum(1), holes[:, 0].any(1).sum(1)
    assert torch.equal(holes[:, 0].sum((1, 2)), rows * columns), "a rectangle"
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4}
    assert holes[:, 0, 0, 0].any(), "a corner can be reached"
    assert holes[:, 0, 9, 9].any(), "every corner can"


def test_sizes_below_one_are_fractions_of_the_side():
    assert [pixels(size, 32) for size in (0.0, 0.125, 0.5, 1.0, 16)] == [0, 4, 16, 1, 16]
    assert pixels(0.125, 8) == 1


def test_one_seed_gives_one_result_and_the_input_stays():
    images = torch.randn(16, 3, 8, 8)
    kept = images.clone()
    recipe = Recipe(crop=1, flip=True, cutout=3)
    first, again = augment(images, recipe, generator(3)), augment(images, recipe, generator(3))
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(images, recipe, generator(4)))
    assert torch.equal(images, kept)
    assert first.shape == images.shape


def test_a_mask_moves_with_its_image_and_what_comes_from_outside_is_ignored() -> None:
    images = torch.rand(16, 2, 8, 8, generator=torch.Generator().manual_seed(0)) + 1
    masks = (images[:, 0] * 100).long()
    moved, labels = augment_both(images, masks, Recipe(crop=2, flip=True), torch.Generator().manual_seed(0))
    inside = moved[:, 0] > 0
    assert torch.equal(labels[inside], (moved[:, 0] * 100).long()[inside])
    assert (labels[~inside] == 255).all() and not torch.equal(moved, images) and (~inside).any()
    alone = augment(images, Recipe(crop=2, flip=True), torch.Generator().manual_seed(0))
    assert torch.equal(alone, moved)
    cut, kept = augment_both(images, masks, Recipe(cutout=4), torch.Generator().manual_seed(0))
    assert torch.equal(kept, masks) and (cut == 0).any()
    _, classes = augment_both(images, masks[:, 0, 0], Recipe(crop=2), torch.Generator().manual_seed(0))
    assert torch.equal(classes, masks[:, 0, 0])
