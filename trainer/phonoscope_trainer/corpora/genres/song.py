"""One song in three arrangements: the same key, tempo, form, words, melody, singer and loudness; another band."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.genres.options import GenreOptions
from phonoscope_trainer.corpora.genres.styles import GENRES, SONG, Genre
from phonoscope_trainer.corpora.rendered import effects
from phonoscope_trainer.corpora.rendered.activity import sung_segments
from phonoscope_trainer.corpora.rendered.band import arrange
from phonoscope_trainer.corpora.rendered.form import Form, Section, compose_form
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ
from phonoscope_trainer.corpora.rendered.song import LEVELS_DB, balance, mix_parts
from phonoscope_trainer.corpora.rendered.vocals import draw_choir, render_vocals

LEVEL_DB = (-26.0, -16.0)  # of all three arrangements: root mean square against full scale
LOUDEST_PEAK = 0.99


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A song in one genre: `samples` `[N]` float32 within ±1, and what was played."""

    samples: NDArray[np.float32]
    description: dict[str, Any]


def arrange_song(seed: int, index: int, options: GenreOptions) -> dict[str, Arrangement]:
    """Song `index` of the corpus with a seed, by genre; it depends on nothing but its arguments.

    Args:
        seed: Of the corpus, non-negative.
        index: Of the song, from 0.
        options: Its duration and sample rate; its own seed and count play no part.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(index,))
    form_rng, voice_rng, effects_rng, *band_rngs = map(np.random.default_rng, sequence.spawn(3 + len(GENRES)))
    form = compose_form(form_rng, options.duration_s, SONG)
    choir = draw_choir(voice_rng, form)
    dry_voice = render_vocals(voice_rng, form, choir)
    vocals = sung_segments(dry_voice, SOURCE_RATE_HZ)
    voice = effects.apply(dry_voice, effects.voice_chain(effects_rng))
    mixing, level_db = int(effects_rng.integers(2**32)), float(effects_rng.uniform(*LEVEL_DB))
    mixes, descriptions = {}, {}
    for (name, genre), band_rng in zip(GENRES.items(), band_rngs, strict=True):
        arranged = rearranged(form, genre)
        parts = arrange(band_rng, arranged)
        accompaniment = mix_parts(band_rng, arranged, parts, levels_db={**LEVELS_DB, **genre.levels_db})
        # The same seed: one balance between voice and band, and one master equaliser, for all three.
        stems = balance(np.random.default_rng(mixing), voice, accompaniment, vocals)[:2]
        mixes[name] = soxr.resample(np.sum(stems, axis=0), SOURCE_RATE_HZ, options.sample_rate_hz)
        descriptions[name] = {
            "genre": name,
            "tempo_bpm": round(form.tempo_bpm, 2),
            "tonic": form.key.tonic,
            "mode": form.key.mode,
            "singer": choir.lead.voice if vocals else None,
            "sung_s": round(sum(s.end_s - s.start_s for s in vocals), 3),
            "instruments": [{"role": p.role, "program": p.program, "pattern": p.pattern} for p in parts],
        }
    return {name: Arrangement(mix, descriptions[name]) for name, mix in _equally_loud(mixes, level_db).items()}


def rearranged(form: Form, genre: Genre) -> Form:
    """The same song with the harmony that a genre's band plays; the band is there throughout."""
    loop = form.sections[0].chords[: genre.loop]
    sections: list[Section] = []
    for section in form.sections:
        source = loop or section.chords
        chords = tuple(source[bar // genre.bars_a_chord % len(source)] for bar in range(len(section.chords)))
        sections.append(replace(section, chords=chords, band=True))
    return replace(form, style=genre.style, sections=tuple(sections))


def _equally_loud(mixes: dict[str, NDArray[np.float32]], level_db: float) -> dict[str, NDArray[np.float32]]:
    """All at one level, the wanted one unless a peak would then be cut off."""
    unit = {name: mix / (np.sqrt(np.mean(np.square(mix, dtype=np.float64))) + 1e-9) for name, mix in mixes.items()}
    peak = max(float(np.abs(mix).max()) for mix in unit.values())
    gain = min(10 ** (level_db / 20), LOUDEST_PEAK / peak)
    return {name: np.asarray(mix * gain, np.float32) for name, mix in unit.items()}
