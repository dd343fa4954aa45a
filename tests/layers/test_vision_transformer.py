import torch
from torch import nn

from nasengine.layers import FeedForward, HeadedAttention, PatchEmbedding, TokenClassifier, TokenNorm
from nasengine.layers.vision_transformer import HEAD, RelativePositions


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def test_parameters_of_vit_base():
    """ViT-B/16 at 224 pixels (https://arxiv.org/abs/2010.11929): width 768, 12 heads, 196 patches."""
    assert parameters(PatchEmbedding(3, 768, patch=16, tokens=196)) == 768 * (3 * 256 + 1) + 768 + 197 * 768
    assert parameters(HeadedAttention(768, heads=12)) == 4 * (768 * 768 + 768)
    assert parameters(FeedForward(768)) == 2 * 4 * 768 * 768 + 5 * 768
    assert parameters(TokenClassifier(768, classes=1000)) == 2 * 768 + 769 * 1000


def test_heads_do_not_follow_the_width():
    assert parameters(HeadedAttention(192, heads=4)) == 3 * (192 * 256 + 256) + 256 * 192 + 192


def test_patches_stand_after_the_class_token_row_by_row():
    layer, x = PatchEmbedding(3, 8, patch=4, tokens=6), torch.randn(2, 3, 8, 12)
    tokens = layer(x) - layer.positions
    assert tokens.shape == (2, 8, 7, 1)
    assert torch.equal(tokens[0, :, 0], tokens[1, :, 0])
    alone = layer.project(x[:, :, 4:, :4])
    assert torch.allclose(tokens[:, :, 4:5], alone, atol=1e-6)


def test_attention_without_positions_is_that_of_torch():
    torch.manual_seed(0)
    layer, x = HeadedAttention(2 * HEAD, heads=2), torch.randn(3, 2 * HEAD, 5, 1)
    theirs = nn.MultiheadAttention(2 * HEAD, 2, batch_first=True)
    parts = layer.query, layer.key, layer.value
    theirs.in_proj_weight.data = torch.cat([part.weight.flatten(1) for part in parts]).detach()
    theirs.in_proj_bias.data = torch.cat([part.bias for part in parts]).detach()
    theirs.out_proj.weight.data = layer.out.weight.flatten(1).detach()
    theirs.out_proj.bias.data = layer.out.bias.detach()
    tokens = x.squeeze(3).transpose(1, 2)
    assert torch.allclose(layer(x).squeeze(3).transpose(1, 2), theirs(tokens, tokens, tokens)[0], atol=1e-5)


def test_attention_without_positions_is_the_limit_of_empty_ones():
    layer, plain = HeadedAttention(32, heads=1, grid=(2, 2)), HeadedAttention(32, heads=1)
    for positions in (layer.key_positions, layer.value_positions):
        nn.init.zeros_(positions.vertical)
        nn.init.zeros_(positions.horizontal)
    plain.load_state_dict(layer.state_dict(), strict=False)
    x = torch.randn(2, 32, 5, 1)
    assert torch.allclose(layer(x), plain(x), atol=1e-6)


def test_relative_positions_depend_on_distance_alone():
    table = RelativePositions((3, 4), limit=2)()
    assert table.shape == (13, 13, HEAD)
    patch = {(row, column): 1 + 4 * row + column for row in range(3) for column in range(4)}
    assert torch.equal(table[patch[0, 0], patch[1, 1]], table[patch[1, 2], patch[2, 3]])
    assert torch.equal(table[patch[0, 0], patch[0, 2]], table[patch[0, 0], patch[0, 3]])  # cut off at 2
    assert not torch.equal(table[patch[0, 0], patch[0, 1]], table[patch[0, 1], patch[0, 0]])
    assert torch.equal(table[0, 5], table[7, 0])  # the class token, either way
    assert sum(p.numel() for p in RelativePositions((14, 14)).parameters()) == 2 * 30 * 64


def test_norm_is_over_the_channels_of_a_token():
    x = 3 * torch.randn(2, 16, 5, 1) + 1
    y = TokenNorm(16)(x)
    assert torch.allclose(y.mean(1), torch.zeros(2, 5, 1), atol=1e-5)
    assert torch.allclose(y.std(1, unbiased=False), torch.ones(2, 5, 1), atol=1e-3)


def test_what_is_classified():
    x = torch.randn(2, 16, 5, 1)
    for pool, others in (("class", slice(1, None)), ("mean", slice(0, 1))):
        layer, changed = TokenClassifier(16, 3, pool=pool), x.clone()
        changed[:, :, others] += torch.randn(2, 16, 1, 1)
        assert torch.allclose(layer(x), layer(changed))
        assert not torch.allclose(layer(x), layer(torch.randn(2, 16, 5, 1)))
