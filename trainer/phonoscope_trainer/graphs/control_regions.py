"""Random smooth regions of a given area: what an explanation's region is compared with.

Each is cut out of one large smooth field, without seams, at a place that a seed decides.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import EXCERPT
from phonoscope_trainer.graphs.draws import SIZE, first_state, next_state, number_of

CONTROLS = 3  # regions of one excerpt
FIELD_SEED = 2018
SMOOTHNESS = (8.0, 6.0)  # frames, bands, of the detector's: regions as coherent as an explanation's
PLACES = SIZE * SIZE  # of the field, as many in frames as in bands
HALVINGS = PLACES.bit_length()  # that find one of the field's ranks


def field_ranks(picture: tuple[int, int] = EXCERPT) -> Tensor:
    """`[512, 512]` ranks, from 0, of a smooth random field that goes on at the opposite side of each border."""
    noise = np.random.default_rng(FIELD_SEED).standard_normal((SIZE, SIZE))
    smoothness = [each * size / usual for each, size, usual in zip(SMOOTHNESS, picture, EXCERPT, strict=True)]
    ranks = gaussian_filter(noise, smoothness, mode="wrap").ravel().argsort().argsort()
    return torch.from_numpy(ranks.reshape(SIZE, SIZE).astype(np.float32))


class ControlRegions(nn.Module):
    """Regions as large as a given one, and elsewhere.

    Args:
        picture: frames and bands of an excerpt, at most 512 each.
    """

    ranks: Tensor
    frames: Tensor
    bands: Tensor

    def __init__(self, picture: tuple[int, int] = EXCERPT) -> None:
        super().__init__()
        self.register_buffer("ranks", field_ranks(picture).flatten(), persistent=False)
        frames, bands = (torch.arange(size, dtype=torch.int32) for size in picture)
        self.register_buffer("frames", frames[:, None], persistent=False)
        self.register_buffer("bands", bands[None, :], persistent=False)

    def forward(self, seed: Tensor, kept_bins: Tensor) -> tuple[Tensor, ...]:
        """As many regions as `CONTROLS` says, `[B, T, M]` float32: 1 inside, 0 outside.

        Args:
            seed: int32 `[B, 1]`, 0 or more; equal seeds give equal regions, of which a smaller lies inside a larger.
            kept_bins: float32 `[B, 1, 1]`: each region has exactly as many.
        """
        state, first_frames, first_bands = first_state(seed), [], []
        for _ in range(CONTROLS):
            first_frames.append(state := next_state(state))
            first_bands.append(state := next_state(state))
        crops = self._crops(torch.cat(first_frames, dim=1), torch.cat(first_bands, dim=1))
        smallest = _smallest_rank(crops, kept_bins.unsqueeze(1).expand(-1, CONTROLS, -1, -1))
        return (crops >= smallest).to(kept_bins.dtype).unbind(dim=1)

    def _crops(self, first_frame: Tensor, first_band: Tensor) -> Tensor:
        """Ranks `[B, C, T, M]` of the field from the frames and bands on that states `[B, C]` say."""
        row = torch.fmod(number_of(first_frame)[..., None, None] + self.frames, SIZE)
        column = torch.fmod(number_of(first_band)[..., None, None] + self.bands, SIZE)
        return self.ranks[(row * SIZE + column).long()]


def _smallest_rank(crops: Tensor, kept_bins: Tensor) -> Tensor:
    """`[B, C, 1, 1]` the rank from which on as many of a crop's bins lie; by bisection, as `mask.smallest_alpha`."""
    low, high = torch.full_like(kept_bins, -1), torch.full_like(kept_bins, PLACES)
    for _ in range(HALVINGS):
        middle = torch.floor((low + high) / 2)
        fits = (crops >= middle).to(crops.dtype).sum(dim=(2, 3), keepdim=True) <= kept_bins
        high = torch.where(fits, middle, high)
        low = torch.where(fits, low, middle)
    return high
