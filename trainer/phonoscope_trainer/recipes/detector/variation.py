"""How excerpts are varied, whatever is in them: played, recorded, mastered and passed on in other ways.

    magnitudes ─ stretch, shift ─ compressor ─ gate ─ equaliser, band limit ─ level ─ noise ─▶ magnitudes

In this order a gate leaves digital silence, as rendered and edited music has it, and noise comes last, where a
recording or a transmission adds it: a detector meets pauses with and without a floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FrontendOptions
from phonoscope_trainer.recipes import augment

Range = tuple[float, float]
LOWEST_OCTAVE_HZ = 60.0  # of the tone balance; below it the balance stays what it is there
EDGE_OCTAVES = 0.1  # over which a band limit takes hold
FILTER_SEMITONES = (
    5.0,
    2.0,
)  # mean and standard deviation of the random filter's width (Schlüter & Grill, released code)


@dataclass(frozen=True, slots=True)
class VariationOptions:
    """How strongly; ranges are uniform unless stated, shares are of the rows of a batch."""

    stretch: Range = (0.75, 1.3)
    shift: Range = (0.75, 1.3)
    level_db: float = 8.0  # standard deviation of the whole row's level
    filter_db: float = 10.0  # largest gain or cut of the random filter
    filter_hz: Range = (150.0, 8000.0)  # log-uniform centre
    balance_db: float = 4.0  # standard deviation of each of `balance_waves` cosines over the octaves: the tone balance
    balance_waves: int = 4
    band_share: float = 0.25  # with a band limit above, `narrow_share` of them with one below, too: a telephone
    band_hz: Range = (3000.0, 8000.0)  # log-uniform
    narrow_share: float = 0.4
    narrow_hz: Range = (150.0, 500.0)  # log-uniform
    band_db: Range = (30.0, 100.0)  # of what lies outside
    compressed_share: float = 0.3
    compressed_range_db: Range = (10.0, 40.0)
    compression: Range = (1.5, 8.0)  # ratio
    gated_share: float = 0.15
    gate_range_db: Range = (25.0, 55.0)
    noise_share: float = 0.5
    noise_db: Range = (-90.0, -20.0)  # under full scale, RMS
    noise_slope_db: Range = (-6.0, 0.0)  # an octave: from brown to white

    def __post_init__(self) -> None:
        for name in ("level_db", "filter_db", "balance_db", "balance_waves"):
            if not getattr(self, name) >= 0:
                raise OptionsError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("stretch", "shift"):
            low, high = getattr(self, name)
            if not 0.5 <= low <= high <= 2:
                raise OptionsError(f"{name}: needs 0.5 <= low <= high <= 2, got {low}, {high}")
        for name in ("band_share", "narrow_share", "compressed_share", "gated_share", "noise_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionsError(f"{name} must be between 0 and 1, got {getattr(self, name)}")


UNVARIED = VariationOptions(
    stretch=(1, 1),
    shift=(1, 1),
    level_db=0,
    filter_db=0,
    balance_db=0,
    band_share=0,
    compressed_share=0,
    gated_share=0,
    noise_share=0,
)


class Variation:
    """Draws one variation for each row of a batch, in NumPy's numbers, and applies it where the batch is."""

    def __init__(self, options: VariationOptions, frontend: FrontendOptions, device: torch.device) -> None:
        self.options, self.frontend, self.device = options, frontend, device
        bins = torch.arange(frontend.bins, device=device)
        self.bin_hz = (bins * frontend.sample_rate_hz / frontend.frame_samples).clamp(min=1.0)
        self.octave = torch.log2(self.bin_hz / LOWEST_OCTAVE_HZ).clamp(min=0)
        # White noise of RMS 1 through a Hann window, whose squares add up to 3/8 of the frame: half of it in each part.
        self.noise_magnitude = math.sqrt(3 / 16 * frontend.frame_samples)

    def tempo_and_pitch(self, rows: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Stretch and shift of each row, both `[B]`, as `augment.stretch_and_shift` takes them."""
        return self._uniform(rng, rows, self.options.stretch), self._uniform(rng, rows, self.options.shift)

    def recorded(self, magnitude: Tensor, rng: np.random.Generator) -> Tensor:
        """`magnitude` `[B, T, F]`, in its final tempo and pitch, through everything else."""
        options, rows = self.options, len(magnitude)
        if options.compressed_share:
            chosen = self._chosen(rng, rows, options.compressed_share)
            ratio = torch.where(chosen, self._uniform(rng, rows, options.compression), 1.0)
            magnitude = augment.compress(magnitude, self._uniform(rng, rows, options.compressed_range_db), ratio)
        if options.gated_share:
            chosen = self._chosen(rng, rows, options.gated_share)
            range_db = torch.where(chosen, self._uniform(rng, rows, options.gate_range_db), torch.inf)
            magnitude = augment.gate(magnitude, range_db)
        magnitude = augment.equalise(magnitude, self._tone_db(rng, rows) + self._band_db(rng, rows))
        magnitude = augment.change_level(magnitude, options.level_db * self._normal(rng, rows))
        return self._noisy(magnitude, rng) if options.noise_share else magnitude

    def _tone_db(self, rng: np.random.Generator, rows: int) -> Tensor:
        """`[B, F]`: a bump or dip anywhere, and a smooth balance of lows, mids and highs."""
        options = self.options
        centre_hz = self._log_uniform(rng, rows, options.filter_hz)
        gain_db = self._uniform(rng, rows, (-options.filter_db, options.filter_db))
        mean, deviation = FILTER_SEMITONES
        width = mean + deviation * self._normal(rng, rows)
        distance = 12 * torch.log2(self.bin_hz / centre_hz[:, None])
        bump = gain_db[:, None] * torch.exp(-0.5 * (distance / width[:, None]) ** 2)
        wave = torch.arange(1, options.balance_waves + 1, device=self.device)[:, None]
        waves = torch.cos(torch.pi * wave * self.octave / self.octave[-1])
        return bump + options.balance_db * self._normal(rng, rows, options.balance_waves) @ waves

    def _band_db(self, rng: np.random.Generator, rows: int) -> Tensor:
        """`[B, F]`: nothing inside the band of each row, `band_db` down outside."""
        options = self.options
        limited = self._chosen(rng, rows, options.band_share)
        narrow = limited & self._chosen(rng, rows, options.narrow_share)
        upper = torch.log2(self.bin_hz / self._log_uniform(rng, rows, options.band_hz)[:, None])
        lower = torch.log2(self._log_uniform(rng, rows, options.narrow_hz)[:, None] / self.bin_hz)
        outside = [(edge / EDGE_OCTAVES).clamp(0, 1) for edge in (upper, lower)]
        share = torch.maximum(outside[0] * limited[:, None], outside[1] * narrow[:, None])
        return -self._uniform(rng, rows, options.band_db)[:, None] * share

    def _noisy(self, magnitude: Tensor, rng: np.random.Generator) -> Tensor:
        """Some rows with noise of one RMS and one slope, the same in every frame."""
        options = self.options
        noisy = self._chosen(rng, len(magnitude), options.noise_share)
        rows = int(noisy.sum())
        level = torch.exp(self._uniform(rng, rows, options.noise_db) * augment.LN_PER_DECIBEL) * self.noise_magnitude
        slope = self._uniform(rng, rows, options.noise_slope_db) * augment.LN_PER_DECIBEL
        shape = torch.exp(slope[:, None] * self.octave)
        shape = level[:, None] * shape / shape.square().mean(1, keepdim=True).sqrt()
        parts = torch.from_numpy(rng.standard_normal((2, rows, *magnitude.shape[1:]), dtype=np.float32))
        result = magnitude.clone()
        result[noisy] = augment.add_noise(magnitude[noisy], shape, *parts.to(self.device))
        return result

    def _chosen(self, rng: np.random.Generator, rows: int, share: float) -> Tensor:
        return torch.from_numpy(rng.uniform(size=rows) < share).to(self.device)

    def _uniform(self, rng: np.random.Generator, rows: int, limits: Range) -> Tensor:
        return torch.from_numpy(rng.uniform(*limits, rows)).float().to(self.device)

    def _log_uniform(self, rng: np.random.Generator, rows: int, limits: Range) -> Tensor:
        return torch.exp(self._uniform(rng, rows, (math.log(limits[0]), math.log(limits[1]))))

    def _normal(self, rng: np.random.Generator, *shape: int) -> Tensor:
        return torch.from_numpy(rng.standard_normal(shape)).float().to(self.device)
