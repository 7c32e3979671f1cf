"""The corpus of speech on disk: made clip by clip, resumable, and read back as a `Corpus` in which nobody sings.

root/audio/NAME.flac  root/clips/NAME.json  root/speech.json

One clip is one person saying several lines; some whisper. Which synthesisers speak is part of what the corpus is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.audio import write_flac
from phonoscope_trainer.corpora.corpus import Corpus, Track, split_of
from phonoscope_trainer.corpora.rendered.lyrics import LANGUAGES
from phonoscope_trainer.corpora.rendered.rendering import render_missing, write_json
from phonoscope_trainer.corpora.rendered.speech import Utterance
from phonoscope_trainer.corpora.rendered.vocoder import analyse, synthesise
from phonoscope_trainer.corpora.speech.synthesisers import SYNTHESISERS, installed
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.ranges import at_least

VERSION = 1  # counts changes of the sound that a seed gives
MANIFEST = "speech.json"
KIND = "speech"
LICENCE = "made by Phonoscope with eSpeak NG (GPL), flite and festival (free, each voice as its author states)"
SAMPLE_RATE_HZ = 22_050
LINES, WORDS = (3, 6), (4, 9)  # of a clip; of a line
WHISPERED_SHARE = 0.1
PEAK = 0.5


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """What is spoken."""

    seed: int = 0
    clips: int = 72  # of about twelve seconds

    def __post_init__(self) -> None:
        at_least(0, self, "seed")
        at_least(1, self, "clips")


def render(root: Path, options: SpeechOptions, workers: int = 1, progress: bool = True) -> Corpus:
    """Speaks the clips that `root` lacks, with the synthesisers it began with or those that are there.

    Raises:
        CorpusError: `root` holds speech of another seed or version, or a synthesiser it began with is gone.
    """
    synthesisers = _begun(root, options) or list(installed())
    for folder in ("audio", "clips"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write_json(root / MANIFEST, {"version": VERSION, "options": asdict(options), "synthesisers": synthesisers})
    missing = [clip for clip in range(options.clips) if not _description_file(root, clip).exists()]
    speak = partial(_render_to, root, options.seed, tuple(synthesisers))
    render_missing(speak, missing, options.clips, workers, progress, unit="clip")
    return load(root)


def load(root: Path) -> Corpus:
    """The speech in `root`, as far as it has been spoken; a voice is a group.

    Raises:
        CorpusError: there is no manifest, or no clip is complete.
    """
    if not (root / MANIFEST).is_file():
        raise CorpusError(f"{root}: holds no corpus of speech ({MANIFEST} is missing)")
    tracks = []
    for file in sorted((root / "clips").glob("*.json")):
        speaker = json.loads(file.read_text(encoding="utf-8"))["speaker"]
        audio = root / "audio" / f"{file.stem}.flac"
        tracks.append(Track(file.stem, speaker, split_of(speaker), (), mixture=audio, kind=KIND))
    if not tracks:
        raise CorpusError(f"{root}: no clip has been spoken yet")
    return Corpus(KIND, LICENCE, tuple(tracks))


def _begun(root: Path, options: SpeechOptions) -> list[str] | None:
    """The synthesisers of a corpus that was begun in `root`."""
    if not (root / MANIFEST).is_file():
        return None
    stored: dict[str, Any] = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    if (stored["version"], stored["options"]["seed"]) != (VERSION, options.seed):
        raise CorpusError(f"{root}: holds speech of version {stored['version']}, seed {stored['options']['seed']}")
    synthesisers: list[str] = stored["synthesisers"]
    if gone := [name for name in synthesisers if name not in installed()]:
        raise CorpusError(f"{root}: was begun with {gone[0]}, which is not installed any more")
    return synthesisers


def _render_to(root: Path, seed: int, synthesisers: tuple[str, ...], clip: int) -> None:
    rng = np.random.default_rng([seed, clip])

    def write(language: str) -> str:
        words = LANGUAGES[language].words
        lines = [rng.choice(words, rng.integers(*WORDS)) for _ in range(rng.integers(*LINES, endpoint=True))]
        return ", ".join(" ".join(line) for line in lines) + "."

    # Clips go round the synthesisers, so that any number of them has each.
    synthesiser = synthesisers[clip % len(synthesisers)]
    spoken = SYNTHESISERS[synthesiser](rng, write)
    is_whispered = bool(rng.random() < WHISPERED_SHARE)
    samples = soxr.resample(spoken.samples, spoken.sample_rate_hz, SAMPLE_RATE_HZ)
    samples = _levelled(_whispered(samples) if is_whispered else samples)
    write_flac(root / "audio" / f"{_name(clip)}.flac", samples, SAMPLE_RATE_HZ)
    described = {"synthesiser": synthesiser, "speaker": spoken.speaker, "language": spoken.language}
    write_json(_description_file(root, clip), described | {"whispered": is_whispered})


def _whispered(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same words `[N]` without a pitch: noise through the same vocal tract."""
    analysis = analyse(Utterance(samples, SAMPLE_RATE_HZ, ()))
    return synthesise(analysis, np.zeros_like(analysis.f0))


def _levelled(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """`[N]` samples whose largest is `PEAK`."""
    return PEAK * samples / max(float(np.abs(samples).max(initial=0)), 1e-9)


def _name(clip: int) -> str:
    return f"speech_{clip:05d}"


def _description_file(root: Path, clip: int) -> Path:
    # Written last, so its presence says that the clip is complete.
    return root / "clips" / f"{_name(clip)}.json"
