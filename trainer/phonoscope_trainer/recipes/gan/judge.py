"""How good a generator is while it learns: how far from held-out music to a detector's ears, and a sheet to see."""

from __future__ import annotations

import torch
from torch import Tensor

from phonoscope_trainer.networks.gan import LATENT, Generator
from phonoscope_trainer.networks.label import is_vocal
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.gan.frechet import frechet_distance

JUDGED_AT_ONCE = 64  # excerpts
SHEET_ROWS, SHEET_COLUMNS = 4, 6
MARGIN = 3  # pixels between excerpts
DARKEST, BRIGHTEST = -14.0, 2.0  # log-mel


class GeneratorJudge:
    """Compares what a generator makes of the same z every time with the same held-out excerpts."""

    def __init__(self, held_out: Tensor, network: SVDNet, standardise: Standardise, seed: int) -> None:
        """`held_out` `[N, 115, 80]` are log-mels of music that is not learnt from, on the device that judges."""
        self.network, self.standardise = network.to(held_out.device).eval(), standardise.to(held_out.device)
        self.z = torch.randn(len(held_out), LATENT, generator=torch.Generator().manual_seed(seed)).to(held_out.device)
        self.real, self.real_logits = self._heard(held_out)
        self.real_sheet = sheet(held_out)

    @torch.no_grad()
    def judge(self, generator: Generator) -> dict[str, float]:
        """`frechet_distance` on FC7 features, and the share of excerpts heard as sung."""
        generated = torch.cat([generator(z) for z in self.z.split(JUDGED_AT_ONCE)])
        features, logits = self._heard(generated)
        return {
            "frechet_distance": frechet_distance(self.real.numpy(), features.numpy()),
            "vocal_share": float(is_vocal(logits, 0).float().mean()),
            "vocal_share_of_music": float(is_vocal(self.real_logits, 0).float().mean()),
        }

    @torch.no_grad()
    def sheet(self, generator: Generator) -> Tensor:
        """`[1, H, W]` picture of what the generator makes of the first z."""
        return sheet(generator(self.z[: SHEET_ROWS * SHEET_COLUMNS]))

    @torch.no_grad()
    def _heard(self, log_mel: Tensor) -> tuple[Tensor, Tensor]:
        """FC7 features `[N, 256]` and logits `[N]`, on the CPU."""
        heard = [self.network.activations(self.standardise(part)) for part in log_mel.split(JUDGED_AT_ONCE)]
        return torch.cat([each["fc7"] for each in heard]).cpu(), torch.cat(
            [each["logit"][:, 0] for each in heard]
        ).cpu()


def sheet(log_mel: Tensor) -> Tensor:
    """`[1, H, W]` picture between 0 and 1 of the first excerpts of `log_mel` `[N, 115, 80]`, low frequencies below."""
    shown = log_mel[: SHEET_ROWS * SHEET_COLUMNS].transpose(1, 2).flip(1)
    shown = ((shown - DARKEST) / (BRIGHTEST - DARKEST)).clamp(0, 1)
    shown = torch.nn.functional.pad(shown, (0, MARGIN, 0, MARGIN))
    missing = SHEET_ROWS * SHEET_COLUMNS - len(shown)
    shown = torch.cat([shown, shown.new_zeros(missing, *shown.shape[1:])])
    rows = shown.unflatten(0, (SHEET_ROWS, SHEET_COLUMNS)).permute(0, 2, 1, 3)
    picture: Tensor = rows.reshape(1, SHEET_ROWS * shown.shape[1], SHEET_COLUMNS * shown.shape[2])
    return picture.cpu()
