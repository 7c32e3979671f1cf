"""Generator and critic while they learn."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from phonoscope_trainer.networks.gan import LATENT, Critic, Generator
from phonoscope_trainer.recipes.gan.objective import critic_terms, generator_loss
from phonoscope_trainer.recipes.gan.options import GanOptions
from phonoscope_trainer.recipes.precision import activations
from phonoscope_trainer.recipes.seeds import step_seed

GENERATOR_BETAS, CRITIC_BETAS = (0.5, 0.999), (0.9, 0.999)  # read from the authors' graph
PARTS = ("generator", "critic", "average", "generator_optimiser", "critic_optimiser")
TERMS = ("critic_loss", "wasserstein_distance", "gradient_penalty", "gradient_norm", "generator_loss")


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything random in one iteration of K critic updates and one of the generator."""

    real: Tensor  # [K, B, 115, 80] log-mels
    z: Tensor  # [K + 1, B, 128], standard normal
    mixing: Tensor  # [K, B], uniform

    @staticmethod
    def of(real: Tensor, step: int, options: GanOptions) -> Draw:
        """For `real` `[K·B, 115, 80]`; what else is drawn depends on seed and step alone."""
        generator = torch.Generator().manual_seed(step_seed(options.seed, step))
        updates, batch = options.critic_updates, options.batch
        z = torch.randn(updates + 1, batch, LATENT, generator=generator)
        mixing = torch.rand(updates, batch, generator=generator)
        return Draw(real.unflatten(0, (updates, batch)), z.to(real.device), mixing.to(real.device))


class GanLearner:
    """Both networks, the running mean of the generator, and the optimisers, on one device."""

    def __init__(self, options: GanOptions, device: torch.device, mean_log_mel: float) -> None:
        torch.manual_seed(options.seed)
        self.options, self.device = options, device
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        self.generator, self.critic = Generator(options.kernels), Critic(options.kernels)
        assert self.generator.last.bias is not None
        torch.nn.init.constant_(self.generator.last.bias, mean_log_mel)  # noise at the level of music to begin with
        for network in (self.generator, self.critic):
            network.to(device, memory_format=layout)  # type: ignore[call-overload]  # torch's stub omits this form
        self.average = copy.deepcopy(self.generator).requires_grad_(requires_grad=False)
        capturable = device.type == "cuda"
        self.generator_optimiser = torch.optim.Adam(
            self.generator.parameters(), options.learning_rate, GENERATOR_BETAS, fused=True, capturable=capturable
        )
        self.critic_optimiser = torch.optim.Adam(
            self.critic.parameters(), options.critic_learning_rate, CRITIC_BETAS, fused=True, capturable=capturable
        )

    def iterate(self, draw: Draw) -> Tensor:
        """The critic's updates, then one of the generator; `[5]` the `TERMS` of the last."""
        self.critic.requires_grad_(requires_grad=True)
        for real, z, mixing in zip(draw.real, draw.z, draw.mixing, strict=False):
            with self._autocast():
                with torch.no_grad():
                    generated = self.generator(z).float()
                terms = critic_terms(self.critic, real, generated, mixing, self.options.penalty_weight)
            _step(self.critic_optimiser, terms.loss)
        self.critic.requires_grad_(requires_grad=False)
        with self._autocast():
            loss = generator_loss(self.critic, self.generator, draw.z[-1])
        _step(self.generator_optimiser, loss)
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(weight, 1 - self.options.averaging)
        return torch.stack([terms.loss, terms.distance, terms.penalty, terms.gradient_norm, loss]).detach()

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        return {part: getattr(self, part).state_dict() for part in PARTS}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        for part in PARTS:
            getattr(self, part).load_state_dict(state[part])

    def _autocast(self) -> torch.autocast:
        return activations(self.device, bfloat16=self.options.bfloat16)


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
