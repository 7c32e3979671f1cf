"""Augmentation of spectrograms, as functions of tensors on any device (Schlüter & Grill 2015, section 4).

    the paper's seven kinds         function             applied to
    dropout of inputs               drop_inputs          log-mel
    Gaussian noise on inputs        add_input_noise      log-mel
    pitch shift, time stretch       stretch_and_shift    linear magnitudes
    loudness                        change_level         linear magnitudes
    random frequency filter         random_filter        log-mel
    mixing with a negative          blend                linear magnitudes

`mix`, `equalise`, `add_noise`, `gate`, `compress` and `reverberate` are this project's own. Every function takes one
value per row of the batch, so that what was drawn can be seen and repeated.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.frontends.mel import FrontendOptions, band_peaks_hz

LN_PER_DECIBEL = math.log(10) / 20
LEVEL_FRAMES = 9  # a compressor follows the level over 0.13 s
LEAST_POWER = 1e-12  # of a frame; the logarithm of silence is none


def mix(voice: Tensor, accompaniment: Tensor, phase: Tensor) -> Tensor:
    """Magnitude `[B, T, F]` of the sum of two signals whose phases differ by `phase` `[B, T, F]` radians.

    |v + a|² = |v|² + |a|² + 2·|v|·|a|·cos(phase): with uniform phases, the distribution that stems of unrelated
    phase have in every bin, without their waveforms.
    """
    power = voice * voice + accompaniment * accompaniment + 2 * voice * accompaniment * torch.cos(phase)
    return torch.sqrt(torch.clamp(power, min=0))


def stretch_and_shift(magnitude: Tensor, frames: int, stretch: Tensor, shift: Tensor) -> Tensor:
    """Time-stretch and pitch-shift `magnitude` `[B, T, F]` in one affine transform; the centre `frames` are kept.

    Args:
        magnitude: linear magnitudes with at least `frames` · max(stretch) frames.
        frames: frames of the result `[B, frames, F]`.
        stretch: `[B]` source frames per frame of the result; 1.2 plays 20 % faster.
        shift: `[B]` frequency factor; 1.2 sounds 20 % higher. Beyond the last bin the last bin is repeated.
    """
    rows, source_frames, bins = magnitude.shape
    offset = torch.arange(frames, device=stretch.device) - (frames - 1) / 2
    time = offset[None, :] * stretch[:, None] * 2 / source_frames
    frequency = ((torch.arange(bins, device=shift.device)[None, :] / shift[:, None]) * 2 + 1) / bins - 1
    grid = torch.stack(
        [frequency[:, None, :].expand(rows, frames, bins), time[:, :, None].expand(rows, frames, bins)],
        dim=-1,
    )
    warped = F.grid_sample(magnitude.unsqueeze(1), grid, padding_mode="border", align_corners=False)
    return warped[:, 0]


def source_frame_of(frames: int, source_frames: int, stretch: Tensor) -> Tensor:
    """`[B, frames]` the source frame each stretched frame comes from; int64."""
    offset = torch.arange(frames, device=stretch.device) - (frames - 1) / 2
    source = offset[None, :] * stretch[:, None] + (source_frames - 1) / 2
    return source.round().long().clamp(0, source_frames - 1)


def change_level(magnitude: Tensor, level_db: Tensor) -> Tensor:
    """`magnitude` `[B, T, F]` louder by `level_db` `[B]`, which may be negative."""
    return magnitude * torch.exp(level_db * LN_PER_DECIBEL)[:, None, None]


def blend(magnitude: Tensor, negative: Tensor, share: Tensor) -> Tensor:
    """(1 - share)·magnitude + share·negative, both `[B, T, F]`, `share` `[B]`.

    The second is an excerpt in which nobody sings, so the first's label stays true.
    """
    return torch.lerp(magnitude, negative, share[:, None, None])


def random_filter(
    log_mel: Tensor, options: FrontendOptions, centre_hz: Tensor, gain_db: Tensor, width_semitones: Tensor
) -> Tensor:
    """Add a Gaussian bump or dip over log-frequency to `log_mel` `[B, T, M]`; one centre, gain and width a row."""
    band_hz = torch.from_numpy(band_peaks_hz(options)[1:-1]).float().to(log_mel.device)
    distance = 12 * torch.log2(band_hz[None, :] / centre_hz[:, None])
    bump = torch.exp(-0.5 * (distance / width_semitones[:, None]) ** 2)
    return log_mel + (gain_db[:, None] * LN_PER_DECIBEL * bump)[:, None, :]


def equalise(magnitude: Tensor, gain_db: Tensor) -> Tensor:
    """`magnitude` `[B, T, F]` with the gain `gain_db` `[B, F]` in each bin; silence stays silent."""
    return magnitude * torch.exp(gain_db * LN_PER_DECIBEL)[:, None, :]


def levels_db(magnitude: Tensor) -> Tensor:
    """`[B, T]` power of each frame of `magnitude` `[B, T, F]` in dB."""
    return 10 * torch.log10(magnitude.square().sum(2).clamp(min=LEAST_POWER))


def gate(magnitude: Tensor, range_db: Tensor) -> Tensor:
    """`magnitude` `[B, T, F]`, digital silence where a frame is more than `range_db` `[B]` under its row's loudest."""
    level_db = levels_db(magnitude)
    opened = level_db >= level_db.amax(1, keepdim=True) - range_db[:, None]
    return magnitude * opened[:, :, None]


def compress(magnitude: Tensor, range_db: Tensor, ratio: Tensor) -> Tensor:
    """`magnitude` `[B, T, F]` whose level rises, within `range_db` `[B]` of its loudest, only by 1/`ratio` `[B]`."""
    level_db = F.avg_pool1d(levels_db(magnitude), LEVEL_FRAMES, 1, LEVEL_FRAMES // 2, count_include_pad=False)
    over_db = torch.relu(level_db - level_db.amax(1, keepdim=True) + range_db[:, None])
    return magnitude * torch.exp((1 / ratio - 1)[:, None] * over_db * LN_PER_DECIBEL)[:, :, None]


def reverberate(magnitude: Tensor, wet_db: Tensor, decay_frames: Tensor, phase: Tensor) -> Tensor:
    """`magnitude` `[B, T, F]` with a diffuse tail, whose power falls by 60 dB in `decay_frames` `[B]`.

    A tone that lasts has a tail of `wet_db` `[B]`. Its phase against the sound, `phase` `[B, T, F]`, may be anything.
    """
    frame = torch.arange(magnitude.shape[1], device=magnitude.device)
    age = (frame[:, None] - frame[None, :]).float()  # of what frame s left in frame t
    kept = 10 ** (-6 / decay_frames)[:, None, None]
    fading = torch.where(age > 0, kept ** age.clamp(min=1), 0) * (1 - kept) / kept
    tail = torch.sqrt(fading @ magnitude.square()) * torch.exp(wet_db * LN_PER_DECIBEL)[:, None, None]
    return mix(magnitude, tail, phase)


def add_noise(magnitude: Tensor, level: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Add stationary noise of magnitude `level` in each bin, `[B, F]` or `[B, 1]`, to `magnitude` `[B, T, F]`.

    `first` and `second` are standard normal `[B, T, F]`: the parts of the noise in phase with the bin and against it.
    """
    scale = level[:, None, :]
    return torch.sqrt((magnitude + scale * first) ** 2 + (scale * second) ** 2)


def drop_inputs(log_mel: Tensor, kept: Tensor, mean: Tensor) -> Tensor:
    """`log_mel` `[B, T, M]` where `kept` `[B, T, M]` is true, elsewhere each band's `mean` `[M]`.

    The network sees standardised bands, in which the mean is zero.
    """
    return torch.where(kept, log_mel, mean)


def add_input_noise(log_mel: Tensor, deviation: Tensor, normal: Tensor, std: Tensor) -> Tensor:
    """Add Gaussian noise to `log_mel` `[B, T, M]`: `deviation` `[B]` times each band's `std` `[M]`.

    `normal` `[B, T, M]` is standard normal; in what the network sees, every band's standard deviation is one.
    """
    return log_mel + deviation[:, None, None] * std * normal
