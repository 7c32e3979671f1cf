"""What nobody hears changes no answer: noise far below the music."""

from __future__ import annotations

import numpy as np
import soundfile
from phonoscope_client import Client, demo
from phonoscope_client.results.parts import is_vocal

NOISE_DBFS = -70


def test_noise_far_below_the_demo_song_flips_hardly_a_frame(service):
    samples, sample_rate_hz = soundfile.read(demo.SONG, dtype="float32")
    noise = np.random.default_rng(0).standard_normal(len(samples)) * 10 ** (NOISE_DBFS / 20)
    with Client(service.address, timeout_s=600) as client:
        clean = client.predict((samples, sample_rate_hz))
        noisy = client.predict(((samples + noise).astype(np.float32), sample_rate_hz))
    flipped = is_vocal(clean.probability, clean.threshold) != is_vocal(noisy.probability, noisy.threshold)
    assert flipped.mean() <= 0.01
