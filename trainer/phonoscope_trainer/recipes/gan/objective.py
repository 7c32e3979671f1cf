"""What critic and generator make small (Gulrajani et al. 2017, Eq. 3; Mishra et al. 2019, section 3.3).

critic:     E[D(G(z))] − E[D(x)] + weight · E[(‖∇D(x̂)‖ − 1)²],  x̂ = m·x + (1 − m)·G(z), one m for a sample
generator: −E[D(G(z))]
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from phonoscope_trainer.networks.gan import Critic, Generator


@dataclass(frozen=True, slots=True)
class CriticTerms:
    """Scalars of one critic update."""

    loss: Tensor
    distance: Tensor  # E[D(x)] − E[D(G(z))], an estimate of the Wasserstein distance
    penalty: Tensor  # without its weight
    gradient_norm: Tensor  # mean over the mixtures; 1 is aimed at


def critic_terms(critic: Critic, real: Tensor, generated: Tensor, mixing: Tensor, penalty_weight: float) -> CriticTerms:
    """The critic's loss and its parts.

    Args:
        critic: what learns.
        real: `[B, 115, 80]` log-mels of music.
        generated: `[B, 115, 80]` log-mels of the generator, without its gradient.
        mixing: `[B]` m, uniform between 0 and 1.
        penalty_weight: of the gradient penalty.
    """
    of_real, of_generated = critic(torch.cat([real, generated])).chunk(2)
    norms = gradient_norms(critic, real, generated, mixing)
    distance, penalty = of_real.mean() - of_generated.mean(), (norms - 1).square().mean()
    return CriticTerms(penalty_weight * penalty - distance, distance, penalty, norms.mean())


def gradient_norms(critic: Critic, real: Tensor, generated: Tensor, mixing: Tensor) -> Tensor:
    """‖∇D(x̂)‖ of each mixture, `[B]`, float32."""
    mixture = torch.lerp(generated, real, mixing[:, None, None])
    norms: Tensor = torch.linalg.vector_norm(critic.input_gradient(mixture).float().flatten(1), dim=1)
    return norms


def generator_loss(critic: Critic, generator: Generator, z: Tensor) -> Tensor:
    """−E[D(G(z))] for `z` `[B, 128]`."""
    scores: Tensor = critic(generator(z))
    return -scores.mean()
