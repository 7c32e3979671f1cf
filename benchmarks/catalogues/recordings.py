"""Catalogues of recordings made from nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE_HZ = 22050
BROKEN = "broken.mp3"


def catalogue(folder: Path, files: int, seconds: float) -> set[str]:
    """Writes so many recordings of about so many seconds, and a file that is none; the names of the recordings."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        random = np.random.default_rng(number)
        time_s = np.arange(round(SAMPLE_RATE_HZ * seconds * (0.75 + 0.5 * random.random()))) / SAMPLE_RATE_HZ
        phase = 2 * np.pi * (150 + 20 * number) * time_s + 4 * np.sin(2 * np.pi * 5.5 * time_s)
        tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 8))
        samples = 0.1 * tone + 0.01 * random.normal(size=len(time_s))
        soundfile.write(folder / f"{number:04}.wav", samples.astype(np.float32), SAMPLE_RATE_HZ)
    (folder / BROKEN).write_bytes(b"no music at all " * 64)
    return {f"{number:04}.wav" for number in range(files)}
