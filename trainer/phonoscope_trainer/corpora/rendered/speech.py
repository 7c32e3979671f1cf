"""Speaks a line of text with eSpeak NG and says where its syllables lie."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import CorpusError

# Constants of speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_PHONEME_EVENTS, INITIALIZE_PHONEME_IPA, INITIALIZE_DONT_EXIT = 0x0001, 0x0002, 0x8000
CHARACTERS_UTF8 = 1
POSITION_CHARACTER = 1
PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE = 1, 3, 4
EVENT_LIST_TERMINATED, EVENT_PHONEME = 0, 7

VOWELS = frozenset("aeiouyæøœɶɑɒɔəɘɵɚɛɜɝɞɐʌɤɪʏʊɯɨʉ")


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("phoneme", ctypes.c_char * 8),
    )


_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Syllable:
    """A vowel with the consonants before it, in seconds of its utterance.

    The syllable lasts from `start_s` to the next one's; its vowel begins at `vowel_s` and ends at `coda_s`.
    """

    start_s: float
    vowel_s: float
    coda_s: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """Spoken text: `samples` `[N]` float64 within ±1, and its syllables in order."""

    samples: NDArray[np.float64]
    sample_rate_hz: int
    syllables: tuple[Syllable, ...]


def speak(text: str, voice: str, *, words_per_minute: int, pitch: int, pitch_range: int) -> Utterance:
    """Speak `text` with an eSpeak NG voice such as `en-us+f3`; the same arguments always give the same samples.

    Args:
        text: What is said.
        voice: A language, optionally with a variant.
        words_per_minute: Speed, 80 to 450.
        pitch: Base pitch, 0 to 99.
        pitch_range: Intonation, 0 (monotone) to 99.

    Raises:
        CorpusError: eSpeak NG has no such voice or says nothing.
    """
    # The library keeps noise and flutter states between utterances; only a fresh copy repeats itself.
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    system = ctypes.CDLL(None)
    system.srand(1)
    try:
        chunks, phonemes, rate = _synthesise(library, text, voice, (words_per_minute, pitch, pitch_range))
    finally:
        library.espeak_Terminate()
        system.dlclose(ctypes.c_void_p(library._handle))
    if not chunks:
        raise CorpusError(f"voice {voice!r} says nothing for {text!r}")
    samples = np.concatenate(chunks).astype(np.float64) / 32768
    return Utterance(samples, rate, _syllables(phonemes, len(samples) / rate))


def _synthesise(
    library: ctypes.CDLL, text: str, voice: str, prosody: tuple[int, int, int]
) -> tuple[list[NDArray[np.int16]], list[tuple[float, str]], int]:
    """Samples in chunks, `(start_s, IPA)` of each phoneme, and the sample rate in Hz."""
    chunks: list[NDArray[np.int16]] = []
    phonemes: list[tuple[float, str]] = []
    flags = INITIALIZE_PHONEME_EVENTS | INITIALIZE_PHONEME_IPA | INITIALIZE_DONT_EXIT
    data = espeakng_loader.get_data_path().encode()
    rate = int(library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, flags))

    def receive(samples: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        position = 0
        while events[position].type != EVENT_LIST_TERMINATED:
            event = events[position]
            if event.type == EVENT_PHONEME:
                phonemes.append((event.sample / rate, event.phoneme.decode("utf-8", "ignore")))
            position += 1
        return 0

    callback = _SynthCallback(receive)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise CorpusError(f"eSpeak NG has no voice {voice!r}")
    for parameter, value in zip((PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE), prosody, strict=True):
        library.espeak_SetParameter(parameter, value, 0)
    encoded = text.encode() + b"\0"
    size = ctypes.c_size_t(len(encoded))
    library.espeak_Synth(encoded, size, 0, POSITION_CHARACTER, 0, CHARACTERS_UTF8, None, None)
    library.espeak_Synchronize()
    return chunks, phonemes, rate


def _syllables(phonemes: list[tuple[float, str]], duration_s: float) -> tuple[Syllable, ...]:
    """One syllable a vowel; its vowel ends where the next phoneme starts."""
    starts = [start for start, _ in phonemes] + [duration_s]
    syllables: list[Syllable] = []
    onset_s: float | None = None
    for position, (start_s, name) in enumerate(phonemes):
        if not name:
            continue
        if VOWELS & set(name):
            after_s = min((s for s in starts[position + 1 :] if s > start_s), default=duration_s)
            syllables.append(Syllable(start_s if onset_s is None else onset_s, start_s, after_s))
            onset_s = None
        elif onset_s is None:
            onset_s = start_s
    return tuple(syllables)
