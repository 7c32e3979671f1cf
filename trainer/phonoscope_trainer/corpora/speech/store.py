"""What is said in a corpus of speech: one clip is one person saying several lines; some whisper."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ, Description, Maker
from phonoscope_trainer.corpora.rendered.lyrics import LANGUAGES
from phonoscope_trainer.corpora.rendered.speech import Utterance
from phonoscope_trainer.corpora.rendered.vocoder import analyse, synthesise
from phonoscope_trainer.corpora.speech.synthesisers import SYNTHESISERS, Spoken, installed

LINES, WORDS = (3, 6), (4, 9)  # of a clip; of a line
WHISPERED_SHARE = 0.1


def said(rng: np.random.Generator, synthesiser: str) -> Spoken:
    """Several lines by one speaker of a synthesiser."""

    def write(language: str) -> str:
        words = LANGUAGES[language].words
        lines = [rng.choice(words, rng.integers(*WORDS)) for _ in range(rng.integers(*LINES, endpoint=True))]
        return ", ".join(" ".join(line) for line in lines) + "."

    return SYNTHESISERS[synthesiser](rng, write)


def _spoken(
    rng: np.random.Generator, synthesisers: tuple[str, ...], clip: int
) -> tuple[NDArray[np.floating], Description]:
    # Clips go round the synthesisers, so that any number of them has each.
    synthesiser = synthesisers[clip % len(synthesisers)]
    spoken = said(rng, synthesiser)
    is_whispered = bool(rng.random() < WHISPERED_SHARE)
    samples = soxr.resample(spoken.samples, spoken.sample_rate_hz, SAMPLE_RATE_HZ)
    described = {"synthesiser": synthesiser, "speaker": spoken.speaker, "language": spoken.language}
    return _whispered(samples) if is_whispered else samples, described | {"whispered": is_whispered}


def _whispered(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same words `[N]` without a pitch: noise through the same vocal tract."""
    analysis = analyse(Utterance(samples, SAMPLE_RATE_HZ, ()))
    return synthesise(analysis, np.zeros_like(analysis.f0))


SPEECH = Maker(
    kind="speech",
    version=1,
    licence="made by Phonoscope with eSpeak NG (GPL), flite and festival (free, each voice as its author states)",
    means="synthesisers",
    installed=installed,
    make=_spoken,
    group="speaker",
)
