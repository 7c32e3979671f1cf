"""Studio effects for stems: equalisers, compressors, distortion, modulation, delay and reverberation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pedalboard import (
    Chain,
    Chorus,
    Compressor,
    Delay,
    Distortion,
    HighpassFilter,
    HighShelfFilter,
    LowpassFilter,
    LowShelfFilter,
    PeakFilter,
    Phaser,
    Plugin,
    Reverb,
)

from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ

Samples = NDArray[np.float32]


def apply(samples: NDArray[np.floating], chain: list[Plugin]) -> Samples:
    """`[N]` float32 through a chain at `SOURCE_RATE_HZ`."""
    processed = Chain(chain)(np.asarray(samples, dtype=np.float32), SOURCE_RATE_HZ)
    return np.asarray(processed, dtype=np.float32)


def voice_chain(rng: np.random.Generator) -> list[Plugin]:
    """Effects of a vocal track, from a dry bedroom take to an old radio."""
    chain = [HighpassFilter(float(rng.uniform(50, 140))), *equaliser(rng, 3.0)]
    if rng.random() < 0.8:
        chain.append(_compressor(rng, (-34, -16)))
    if rng.random() < 0.12:
        chain += [Distortion(float(rng.uniform(3, 16))), LowpassFilter(float(rng.uniform(5000, 10_000)))]
    if rng.random() < 0.05:
        chain += [HighpassFilter(float(rng.uniform(250, 500))), LowpassFilter(float(rng.uniform(2800, 5000)))]
    if rng.random() < 0.15:
        chain.append(
            Chorus(float(rng.uniform(0.3, 1.5)), float(rng.uniform(0.1, 0.4)), mix=float(rng.uniform(0.15, 0.5)))
        )
    if rng.random() < 0.3:
        chain.append(Delay(float(rng.uniform(0.08, 0.42)), float(rng.uniform(0, 0.3)), float(rng.uniform(0.04, 0.17))))
    if rng.random() < 0.88:
        chain.append(_room(rng, 0.45))
    return chain


def part_chain(rng: np.random.Generator, role: str) -> list[Plugin]:
    """Effects of an instrument."""
    chain = equaliser(rng, 4.0)
    if role in {"comping", "lead"} and rng.random() < 0.18:
        chain += [Distortion(float(rng.uniform(6, 26))), LowpassFilter(float(rng.uniform(3500, 8000)))]
    if role in {"drums", "bass", "lead"} and rng.random() < 0.55:
        chain.append(_compressor(rng, (-30, -12)))
    if role in {"drums", "bass"} and rng.random() < 0.2:
        chain.append(Distortion(float(rng.uniform(3, 12))))
    if role not in {"drums", "bass"} and rng.random() < 0.25:
        chain.append(
            Chorus(float(rng.uniform(0.3, 2.0)), float(rng.uniform(0.1, 0.5)), mix=float(rng.uniform(0.2, 0.5)))
        )
    if role in {"comping", "pad"} and rng.random() < 0.1:
        chain.append(Phaser(float(rng.uniform(0.2, 1.5)), mix=float(rng.uniform(0.2, 0.5))))
    if role == "lead" and rng.random() < 0.35:
        chain.append(Delay(float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.1, 0.3))))
    if role != "bass" and rng.random() < 0.75:
        chain.append(_room(rng, 0.35))
    return chain


def master_chain(rng: np.random.Generator) -> list[Plugin]:
    """The tone balance of a whole recording: linear, so applying it to each stem is the same."""
    chain = equaliser(rng, 2.0)
    if rng.random() < 0.15:
        chain.append(LowpassFilter(float(rng.uniform(6000, 10_500))))
    return chain


def equaliser(rng: np.random.Generator, spread_db: float) -> list[Plugin]:
    """Two shelves and two peaks with N(0, `spread_db`) dB each."""
    low, high, first, second = (float(g) for g in rng.normal(0, spread_db, 4))
    return [
        LowShelfFilter(float(rng.uniform(100, 350)), low),
        HighShelfFilter(float(rng.uniform(3000, 7000)), high),
        PeakFilter(float(np.exp(rng.uniform(np.log(200), np.log(1500)))), first, float(rng.uniform(0.4, 1.5))),
        PeakFilter(float(np.exp(rng.uniform(np.log(1000), np.log(7000)))), second, float(rng.uniform(0.4, 1.5))),
    ]


def pink_noise(rng: np.random.Generator, count: int) -> Samples:
    """`[count]` float32 noise of unit power with a spectrum falling by U(0, 6) dB an octave."""
    spectrum = rng.standard_normal(count // 2 + 1) + 1j * rng.standard_normal(count // 2 + 1)
    spectrum *= np.maximum(np.arange(len(spectrum)), count / SOURCE_RATE_HZ * 40) ** -float(rng.uniform(0, 1))
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / (noise.std() + 1e-12), dtype=np.float32)


def _compressor(rng: np.random.Generator, threshold_db: tuple[float, float]) -> Plugin:
    return Compressor(
        threshold_db=float(rng.uniform(*threshold_db)),
        ratio=float(rng.uniform(2, 8)),
        attack_ms=float(rng.uniform(1, 20)),
        release_ms=float(rng.uniform(50, 250)),
    )


def _room(rng: np.random.Generator, wettest: float) -> Plugin:
    wet = float(rng.beta(1.5, 2.5)) * wettest
    return Reverb(
        room_size=float(rng.uniform(0.1, 0.85)), damping=float(rng.uniform(0.2, 0.9)), wet_level=wet, dry_level=1 - wet
    )
