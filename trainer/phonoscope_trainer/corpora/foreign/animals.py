"""Animals, as a source and a filter: birds whistle, crickets chirp, dogs bark, frogs croak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ

Floats = NDArray[np.float64]


def birds(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` phrases of short whistles whose pitch glides, and rests between them."""
    sound = np.zeros(samples)
    for _ in range(int(rng.integers(1, 4))):  # birds
        centre_hz, at_s = float(rng.uniform(1800, 5500)), float(rng.uniform(0, 0.3))
        while at_s * SAMPLE_RATE_HZ < samples:
            glide_octaves, length_s = float(rng.uniform(-0.6, 0.6)), float(rng.uniform(0.03, 0.2))
            for _ in range(int(rng.integers(1, 9))):  # the same syllable again
                _add(sound, _whistle(rng, centre_hz, glide_octaves, length_s), at_s)
                at_s += length_s * float(rng.uniform(1.1, 1.8))
            at_s += float(rng.uniform(0.05, 0.6))
    return sound


def crickets(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` pulses of a high tone in groups, of one cricket or a few."""
    sound, time_s = np.zeros(samples), np.arange(samples) / SAMPLE_RATE_HZ
    for _ in range(int(rng.integers(1, 4))):
        hertz, pulses_a_second = float(rng.uniform(2500, 6500)), float(rng.uniform(15, 60))
        pulses = np.maximum(0, np.sin(2 * np.pi * pulses_a_second * time_s)) ** 2
        chirps = (time_s * float(rng.uniform(1, 4)) + rng.random()) % 1 < float(rng.uniform(0.3, 0.9))
        sound += float(rng.uniform(0.3, 1)) * np.sin(2 * np.pi * hertz * time_s) * pulses * chirps
    return sound


def barks(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` a dog: short harsh voiced bursts that rise and fall, through a throat of three resonances."""
    throat_hz = float(rng.uniform(450, 900)) * np.array([1.0, 2.1, 3.6])
    base_hz = float(rng.uniform(120, 450))
    return _calls(rng, samples, throat_hz, base_hz, length_s=(0.08, 0.25), rest_s=(0.1, 0.6), breath=0.4)


def croaks(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` a frog: slow pulses through two resonances."""
    throat_hz = float(rng.uniform(350, 900)) * np.array([1.0, 2.7])
    base_hz = float(rng.uniform(25, 90))
    return _calls(rng, samples, throat_hz, base_hz, length_s=(0.15, 0.5), rest_s=(0.1, 0.5), breath=0.1)


def _calls(
    rng: np.random.Generator,
    samples: int,
    throat_hz: Floats,
    base_hz: float,
    *,
    length_s: tuple[float, float],
    rest_s: tuple[float, float],
    breath: float,
) -> Floats:
    """Calls of one animal: pulses at a pitch that rises and falls by a third, with breath, through resonances."""
    sound, at_s = np.zeros(samples), float(rng.uniform(0, 0.3))
    while at_s * SAMPLE_RATE_HZ < samples:
        count = round(float(rng.uniform(*length_s)) * SAMPLE_RATE_HZ)
        arch = np.sin(np.pi * np.arange(count) / count)
        phase = np.cumsum(base_hz * 2 ** (arch / 3)) / SAMPLE_RATE_HZ
        pulses = np.diff(np.floor(phase), prepend=0.0)
        source = pulses + breath * pulses.std() * rng.standard_normal(count)
        for hertz in throat_hz:
            source = source + 2 * _resonated(source, float(hertz))
        _add(sound, source * np.sqrt(arch), at_s)
        at_s += count / SAMPLE_RATE_HZ + float(rng.uniform(*rest_s))
    return sound


def _resonated(source: Floats, hertz: float) -> Floats:
    """A resonance of a sixth of its frequency's width (two poles, unit gain at its peak to first order)."""
    radius = np.exp(-np.pi * hertz / 6 / SAMPLE_RATE_HZ)
    angle = 2 * np.pi * hertz / SAMPLE_RATE_HZ
    passed: Floats = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], source)
    return passed


def _whistle(rng: np.random.Generator, centre_hz: float, glide_octaves: float, length_s: float) -> Floats:
    count = round(length_s * SAMPLE_RATE_HZ)
    way = np.linspace(-0.5, 0.5, count)
    trill = float(rng.uniform(0, 0.1)) * np.sin(2 * np.pi * float(rng.uniform(20, 60)) * way * length_s)
    hertz = np.minimum(centre_hz * 2 ** (glide_octaves * way + trill), 0.45 * SAMPLE_RATE_HZ)
    return np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE_HZ) * np.hanning(count)


def _add(sound: Floats, part: Floats, at_s: float) -> None:
    """Add `part` to `sound` from `at_s` on, as far as it reaches."""
    first = round(at_s * SAMPLE_RATE_HZ)
    count = min(len(part), len(sound) - first)
    if count > 0:
        sound[first : first + count] += part[:count]
