"""What a tagging system hears beside music and nobody sings: speech in several voices, a whisper, sirens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.rendered.speech import speak
from phonoscope_trainer.experiments.detector.stress_sounds import gain, root_mean_square
from phonoscope_trainer.frontends.mel import FRONTEND

Samples = NDArray[np.float32]
LEVEL_DB = -20.0  # root mean square, below full scale
SPEECH_OVER_MUSIC_DB = 0.0
SIREN_S = 16.0
HARMONICS = (1, 2, 3)  # of a siren
ENGLISH = (
    "The ferry leaves the northern harbour at a quarter past six, weather permitting. Passengers without a ticket may "
    "buy one from the steward on board. Please keep bicycles and luggage away from the doors, and hold on to the rail "
    "when you walk about. A light supper is served in the forward saloon until nine."
)
GERMAN = (
    "Der Zug nach Rostock fährt heute von Gleis sieben ab. Wegen einer Störung am Stellwerk verspätet sich die Abfahrt "
    "um etwa zwölf Minuten. Reisende in Richtung Wismar steigen bitte in Bützow um. Wir danken für Ihr Verständnis und "
    "wünschen einen angenehmen Aufenthalt."
)
SPANISH = (
    "La biblioteca municipal abrirá mañana a las diez y cerrará a las ocho de la tarde. Los lectores que tengan libros "
    "prestados pueden devolverlos en el mostrador de la primera planta. La sala infantil permanecerá cerrada por obras "
    "hasta el próximo jueves."
)
SPEAKERS = {  # eSpeak NG voice, what it says, words a minute, pitch
    "English, a man": ("en-us+m3", ENGLISH, 165, 45),
    "English, a woman": ("en+f2", ENGLISH, 175, 60),
    "German": ("de+m2", GERMAN, 160, 45),
    "Spanish": ("es+f3", SPANISH, 170, 55),
    "a whisper": ("en-us+whisper", ENGLISH, 150, 50),
}


def speech() -> dict[str, Samples]:
    """Each speaker's announcement, `[N]` at the front-end's rate."""
    return {f"speech: {name}": _spoken(*how) for name, how in SPEAKERS.items()}


def sirens() -> dict[str, Samples]:
    """A siren of two tones, one that wails and one that yelps; 16 s each."""
    time_s = np.arange(round(SIREN_S * FRONTEND.sample_rate_hz)) / FRONTEND.sample_rate_hz
    two_tones = np.where(time_s % 1 < 0.5, 440.0, 585.0)  # hertz
    wailing, yelping = 900 + 400 * np.sin(np.pi * time_s), 900 + 300 * np.sin(2 * np.pi * time_s)
    return {
        "siren: two tones": _horn(two_tones),
        "siren: wailing": _horn(wailing),
        "siren: yelping": _horn(yelping),
    }


def over(speakers: Sequence[Samples], music: Sequence[Samples]) -> Iterator[Samples]:
    """Each speaker over each piece of music, as loud as it on average; as long as the shorter of the two."""
    for beneath in music:
        for voice in speakers:
            samples = min(len(voice), len(beneath))
            level = root_mean_square(beneath[:samples])
            if level > 0:
                ratio = gain(SPEECH_OVER_MUSIC_DB) * level / root_mean_square(voice[:samples])
                yield np.asarray(ratio * voice[:samples] + beneath[:samples], np.float32)


def _spoken(voice: str, text: str, words_per_minute: int, pitch: int) -> Samples:
    utterance = speak(text, voice, words_per_minute=words_per_minute, pitch=pitch, pitch_range=50)
    return _levelled(soxr.resample(utterance.samples, utterance.sample_rate_hz, FRONTEND.sample_rate_hz))


def _horn(hertz: NDArray[np.float64]) -> Samples:
    """A tone of a few harmonics, each as strong as its number is small."""
    phase = 2 * np.pi * np.cumsum(hertz) / FRONTEND.sample_rate_hz
    return _levelled(np.sum([np.sin(harmonic * phase) / harmonic for harmonic in HARMONICS], axis=0))


def _levelled(samples: NDArray[np.float64]) -> Samples:
    return np.asarray(samples * (gain(LEVEL_DB) / root_mean_square(samples)), np.float32)
