"""Generator and critic: their sizes in the paper's tables, and the critic's gradient."""

from __future__ import annotations

import math

import pytest
import torch
from phonoscope_trainer.networks.gan import CRITIC_KERNELS, GENERATOR_KERNELS, KERNELS, Critic, Generator
from phonoscope_trainer.recipes.gan.objective import critic_terms

GENERATOR_MAPS, CRITIC_MAPS = (128, 64, 32, 16, 8), (1, 32, 64, 128, 256)


def parameters(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def layers(maps, kernels) -> int:
    """Weights and biases of convolutions from each number of maps to the next."""
    return sum(i * o * t * f + o for i, o, (t, f) in zip(maps, maps[1:], kernels, strict=False))


@pytest.mark.parametrize("kernels", KERNELS)
def test_both_networks_have_the_tables_parameters(kernels):
    dense = 128 * 5120 + 5120
    expected = dense + layers(GENERATOR_MAPS, GENERATOR_KERNELS[kernels]) + (8 * 25 + 1)
    assert parameters(Generator(kernels)) == expected
    assert parameters(Critic(kernels)) == layers(CRITIC_MAPS, CRITIC_KERNELS[kernels]) + 10240


def test_the_counts_are_these_numbers():
    assert [parameters(Generator(kernels)) for kernels in KERNELS] == [1_339_201, 932_801]
    assert [parameters(Critic(kernels)) for kernels in KERNELS] == [2_890_720, 1_086_720]


@pytest.mark.parametrize("kernels", KERNELS)
def test_an_excerpt_comes_out_and_is_nowhere_below_the_front_ends_floor(kernels):
    torch.manual_seed(0)
    generator, z = Generator(kernels), torch.randn(2, 128)
    with torch.no_grad():
        excerpts = generator(z)
        assert 0.3 < excerpts.std() < 3  # untrained, of the order of music
        torch.nn.init.constant_(generator.last.bias, math.log(1e-7))
        excerpts = generator(z)
    assert excerpts.shape == (2, 115, 80)
    assert excerpts.min() == pytest.approx(math.log(1e-7))
    assert 0.1 < (excerpts == excerpts.min()).float().mean() < 0.9


def test_the_excerpt_is_6_to_minus_7_of_the_generators_picture():
    torch.manual_seed(0)
    generator, z = Generator("5x5"), torch.randn(2, 128)
    with torch.no_grad():
        maps = torch.nn.functional.leaky_relu(generator.seed(z), 0.2).view(2, 128, 8, 5)
        for doubling in generator.doublings:
            maps = torch.nn.functional.leaky_relu(doubling(maps), 0.2)
        picture = generator.last(maps)[:, 0]
        assert picture.shape == (2, 128, 80)
        torch.testing.assert_close(generator(z), picture[:, 6:-7])


def test_the_critic_pads_an_excerpt_where_the_generator_cropped_it():
    critic = Critic("5x5").double()
    excerpt = torch.randn(1, 115, 80, dtype=torch.float64)
    padded = torch.cat([torch.zeros(6, 80), excerpt[0], torch.zeros(7, 80)]).view(1, 1, 128, 80)
    first = torch.nn.functional.conv2d(padded, critic.halvings[0].weight, critic.halvings[0].bias, 2, 2)
    maps = torch.nn.functional.leaky_relu(first, 0.2)
    for halving in critic.halvings[1:]:
        maps = torch.nn.functional.leaky_relu(halving(maps), 0.2)
    assert critic(excerpt).item() == pytest.approx((maps.flatten() @ critic.judge.weight[0]).item(), rel=1e-4)


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_critics_gradient_is_autograds(kernels):
    torch.manual_seed(1)
    critic = Critic(kernels).double()
    excerpts = torch.randn(2, 115, 80, dtype=torch.float64).requires_grad_()
    (expected,) = torch.autograd.grad(critic(excerpts).sum(), excerpts)
    torch.testing.assert_close(
        critic.input_gradient(excerpts.detach()), expected.float().double(), rtol=1e-5, atol=1e-8
    )


def test_the_penalty_and_its_gradient_are_those_of_differentiating_twice():
    torch.manual_seed(2)
    critic = Critic("5x5").double()
    real, generated = torch.randn(2, 3, 115, 80, dtype=torch.float64) * 3
    mixing = torch.rand(3, dtype=torch.float64)
    terms = critic_terms(critic, real, generated, mixing, 10.0)
    found = torch.autograd.grad(terms.loss, list(critic.parameters()), allow_unused=True)

    mixture = (mixing[:, None, None] * real + (1 - mixing[:, None, None]) * generated).requires_grad_()
    (slope,) = torch.autograd.grad(critic(mixture).sum(), mixture, create_graph=True)
    penalty = sum((row.square().sum().sqrt() - 1) ** 2 for row in slope) / 3
    loss = critic(generated).mean() - critic(real).mean() + 10 * penalty
    expected = torch.autograd.grad(loss, list(critic.parameters()), allow_unused=True)
    assert terms.penalty.item() == pytest.approx(penalty.item(), rel=1e-5)
    assert terms.loss.item() == pytest.approx(loss.item(), rel=1e-5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
