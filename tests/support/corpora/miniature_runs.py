"""Commands that make a corpus, a detector and an explanation inverter in miniature, and a folder to give them in."""

from __future__ import annotations

STEPS = (
    "corpus rendered --songs 8 --seed 4 --seconds 8 9 --workers 1",  # valid and test songs are sung
    "detector --run runs/detector --updates 2 --threads 1",
    "explanation-inverter --run runs/inverter --detector runs/detector --epochs 1 --excerpts 64 --threads 1",
)


def work_in(folder, patch):
    """Goes there while `patch` holds; corpora lie in its `cache`."""
    patch.chdir(folder)
    patch.setenv("PHONOSCOPE_CACHE", str(folder / "cache"))
    patch.delenv("PHONOSCOPE_DATA", raising=False)
