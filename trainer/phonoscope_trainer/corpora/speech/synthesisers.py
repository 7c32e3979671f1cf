"""Speech synthesisers: eSpeak NG, which is always there, flite and festival, where this machine has them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from phonoscope_trainer.corpora.rendered.lyrics import LANGUAGES
from phonoscope_trainer.corpora.rendered.singer import FEMALE_VARIANTS, MALE_VARIANTS
from phonoscope_trainer.corpora.rendered.speech import speak
from phonoscope_trainer.errors import CorpusError

FLITE_SPEAKERS = {"kal16": "kal", "awb": "awb", "rms": "rms", "slt": "slt"}  # who lent it, by the voice
FESTIVAL_SPEAKERS = {  # who lent it and the language it reads, by the voice
    "kal_diphone": ("kal", "English"),
    "ked_diphone": ("ked", "English"),
    "cmu_us_slt_arctic_hts": ("slt", "English"),
    "lp_diphone": ("lp", "Italian"),
    "pc_diphone": ("pc", "Italian"),
}
WORDS_PER_MINUTE, FASTEST = 170, 1.35  # eSpeak NG's ordinary pace; how much faster, or slower, anybody speaks


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said: `samples` `[N]` at `sample_rate_hz`, and whose voice it is."""

    samples: NDArray[np.float64]
    sample_rate_hz: int
    speaker: str
    language: str


Synthesiser = Callable[[np.random.Generator, Callable[[str], str]], Spoken]  # speaks what its language's author writes


def installed() -> tuple[str, ...]:
    """Names of the synthesisers that this machine has."""
    there = (name for name in SYNTHESISERS if name == "espeak-ng" or shutil.which(_PROGRAMS[name]))
    return tuple(name for name in there if name != "festival" or _festival_voices())


def _espeak(rng: np.random.Generator, write: Callable[[str], str]) -> Spoken:
    language = str(rng.choice(list(LANGUAGES)))
    variant = str(rng.choice(MALE_VARIANTS if rng.random() < 0.5 else FEMALE_VARIANTS))
    utterance = speak(
        write(language),
        f"{rng.choice(LANGUAGES[language].voices)}+{variant}",
        words_per_minute=round(WORDS_PER_MINUTE * _pace(rng)),
        pitch=int(rng.integers(15, 85)),
        pitch_range=int(rng.integers(30, 95)),
    )
    return Spoken(utterance.samples, utterance.sample_rate_hz, variant, language)


def _flite(rng: np.random.Generator, write: Callable[[str], str]) -> Spoken:
    voice = str(rng.choice(list(FLITE_SPEAKERS)))
    pace = f"duration_stretch={1 / _pace(rng):.2f}"
    command = ["flite", "-voice", voice, "--setf", pace, "-t", write("English"), "-o"]
    samples, rate = _spoken_by(command)
    return Spoken(samples, rate, FLITE_SPEAKERS[voice], "English")


def _festival(rng: np.random.Generator, write: Callable[[str], str]) -> Spoken:
    voice = str(rng.choice(_festival_voices()))
    speaker, language = FESTIVAL_SPEAKERS[voice]
    pace = f"(Parameter.set 'Duration_Stretch {1 / _pace(rng):.2f})"
    command = ["text2wave", "-eval", f"(voice_{voice})", "-eval", pace, "-o"]
    samples, rate = _spoken_by(command, write(language))
    return Spoken(samples, rate, speaker, language)


@lru_cache
def _festival_voices() -> tuple[str, ...]:
    """Those of `FESTIVAL_SPEAKERS` that are installed."""
    with tempfile.NamedTemporaryFile("w", suffix=".scm") as script:
        script.write("(print (voice.list))")
        script.flush()
        listed = _run(["festival", "-b", script.name]).splitlines()  # the last line; before it, complaints
    names = listed[-1].strip("()").split() if listed else []
    return tuple(voice for voice in FESTIVAL_SPEAKERS if voice in names)


def _spoken_by(command: list[str], text: str = "") -> tuple[NDArray[np.float64], int]:
    """What a command writes to the file named by its last argument; it reads ASCII."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spoken.wav"
        ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        _run([*command, str(file)], ascii_text)
        samples, rate = soundfile.read(file)
    return samples, rate


def _run(command: list[str], text: str = "") -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a synthesiser by its name, and words of our own
            command, input=text, capture_output=True, check=True, encoding="utf-8"
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise CorpusError(f"{command[0]} does not speak: {error}") from error
    return done.stdout


def _pace(rng: np.random.Generator) -> float:
    return float(FASTEST ** rng.uniform(-1, 1))


SYNTHESISERS: dict[str, Synthesiser] = {"espeak-ng": _espeak, "flite": _flite, "festival": _festival}
_PROGRAMS = {"flite": "flite", "festival": "text2wave"}
