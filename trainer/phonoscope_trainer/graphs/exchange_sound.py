"""`exchange_sound`: the exchange as sound: a region's content in a host, each with its own phase.

The region is brought from bands to Fourier bins as `listen` brings it. What no band hears is the host's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import FrontendOptions
from phonoscope_trainer.graphs.bank import FULL_SCALE, Bank, unpacked
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps
from phonoscope_trainer.graphs.exchange import level
from phonoscope_trainer.graphs.exchange_trials import CHOICE, SILHOUETTE, TRIALS, drawn
from phonoscope_trainer.graphs.listen import bin_weights_of_bands
from phonoscope_trainer.graphs.transform import excerpt_transform

HEARD_TRIALS = TRIALS[: SILHOUETTE + 1]  # carried, silhouette


class ExchangeSoundGraph(nn.Module):
    """One excerpt's content, or a third excerpt's, in the sound of a host."""

    sound: Tensor
    level: Tensor
    spread: Tensor

    def __init__(self, bank: Bank, options: FrontendOptions) -> None:
        super().__init__()
        self.sounds = bank.sounds
        self.transform = excerpt_transform(options)
        spread = torch.from_numpy(bin_weights_of_bands(options, self.transform.bins)).float()
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("sound", bank.sound.flatten(0, 1), persistent=False)
        heard = unpacked(bank.log_mel[:, : bank.sounds].flatten(0, 1), bank.step)
        self.register_buffer("level", level(heard).flatten(1), persistent=False)

    def forward(
        self,
        samples: Tensor,
        log_mel: Tensor,
        region: Tensor,
        vocal: Tensor,
        trial: Tensor,
        draw: Tensor,
        control_seed: Tensor,
    ) -> Tensor:
        """`audio` `[B, N]` of the excerpt `samples` `[B, N]`, whose `log_mel` says how loud it is.

        The others are as in `ExchangeGraph`, but trials other than those of `HEARD_TRIALS` sound like the first.
        """
        loudness = level(log_mel).flatten(1)
        host, third, _ = drawn(control_seed, draw, self.sounds)
        music = self._sound(host, 1 - vocal, loudness)
        content = torch.where(trial == SILHOUETTE, self._sound(third, 1 - vocal, loudness), samples)
        inside = region @ self.spread
        exchanged = self.transform.spectrum(content - music) * inside.unsqueeze(1)
        return music + self.transform.sound(exchanged)

    def _sound(self, number: Tensor, answer: Tensor, loudness: Tensor) -> Tensor:
        """Samples `[B, N]` of the bank's excerpts, as loud as is asked for, `[B, 1]`, a natural logarithm."""
        place = (answer * self.sounds + number).squeeze(1).long()
        return self.sound[place].float() * (torch.exp(loudness - self.level[place]) / FULL_SCALE)


def exchange_sound_graph(bank: Bank, options: FrontendOptions) -> Graph:
    """The description of `exchange_sound`."""
    return Graph(
        "exchange_sound",
        ExchangeSoundGraph(bank, options),
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *maps("log_mel", "region"), *CHOICE),
        (TensorSpec("audio", (EXCERPT_SAMPLES,)),),
        (
            torch.zeros(2, EXCERPT_SAMPLES),
            *(torch.zeros(2, *EXCERPT) for _ in range(2)),
            *(torch.zeros(2, 1, dtype=torch.int32) for _ in CHOICE),
        ),
    )
