"""Renders one song in memory: accompaniment, voice, mix and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.corpora.rendered import effects
from phonoscope_trainer.corpora.rendered.activity import sung_segments
from phonoscope_trainer.corpora.rendered.band import arrange
from phonoscope_trainer.corpora.rendered.form import Form, compose_form
from phonoscope_trainer.corpora.rendered.notes import Part
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ, RenderOptions
from phonoscope_trainer.corpora.rendered.soundfont import render_part
from phonoscope_trainer.corpora.rendered.styles import style_named
from phonoscope_trainer.corpora.rendered.vocals import Choir, draw_choir, render_vocals

LEVELS_DB = {"drums": 0.0, "bass": -2.0, "comping": -5.0, "pad": -10.0, "lead": -1.0, "choir": -4.0}
LEVEL_SPREAD_DB = 3.0
VOICE_TO_ACCOMPANIMENT_SPREAD_DB = 5.0
FLOOR_DBFS = (-85.0, -50.0)  # of every recording's room, tape and converters; a studio's is near the lower end


@dataclass(frozen=True, slots=True)
class RenderedSong:
    """A song: stems `[N]` float32 whose sum lies within ±1, its sung segments, and what was played."""

    voice: NDArray[np.float32]
    accompaniment: NDArray[np.float32]
    vocals: tuple[Segment, ...]
    description: dict[str, Any]


def render_song(seed: int, index: int, options: RenderOptions) -> RenderedSong:
    """Song `index` of the corpus with a seed; it depends on nothing but its arguments.

    Args:
        seed: Of the corpus, non-negative.
        index: Of the song, from 0.
        options: Its durations and sample rate; its own seed and count play no part.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(index,))
    form_rng, band_rng, voice_rng, mix_rng, floor_rng = (np.random.default_rng(s) for s in sequence.spawn(5))
    style = style_named(options.style) if options.style else None
    form = compose_form(form_rng, float(form_rng.uniform(options.shortest_s, options.longest_s)), style)
    parts = arrange(band_rng, form)
    accompaniment = mix_parts(band_rng, form, parts)
    choir = draw_choir(voice_rng, form)
    dry_voice = render_vocals(voice_rng, form, choir)
    vocals = sung_segments(dry_voice, SOURCE_RATE_HZ)
    voice = effects.apply(dry_voice, effects.voice_chain(mix_rng))
    voice, accompaniment, ratio_db = balance(mix_rng, voice, accompaniment, vocals)
    description = _describe(form, parts, choir, vocals) | {"voice_to_accompaniment_db": round(ratio_db, 1)}
    if options.sample_rate_hz != SOURCE_RATE_HZ:
        voice = soxr.resample(voice, SOURCE_RATE_HZ, options.sample_rate_hz)
        accompaniment = soxr.resample(accompaniment, SOURCE_RATE_HZ, options.sample_rate_hz)
    peak = max(float(np.abs(stem).max()) for stem in (voice, accompaniment, voice + accompaniment))
    gain = np.float32(10 ** (float(mix_rng.uniform(-14, -0.3)) / 20) / max(peak, 1e-9))
    return RenderedSong(voice * gain, with_floor(floor_rng, accompaniment * gain), vocals, description)


def with_floor(rng: np.random.Generator, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """`samples` `[N]` over the noise floor that every recording has.

    Between the notes of synthesisers there is digital silence. A detector that never heard anything else takes how deep
    it is for a sign of what is played, and changes its mind over noise that nobody hears.
    """
    level_dbfs = float(rng.uniform(*FLOOR_DBFS))
    floor = effects.pink_noise(rng, len(samples)) * np.float32(10 ** (level_dbfs / 20))
    return samples + floor


def mix_parts(
    rng: np.random.Generator,
    form: Form,
    parts: list[Part],
    *,
    levels_db: Mapping[str, float] = LEVELS_DB,
) -> NDArray[np.float32]:
    """All parts through their effects, at levels drawn around those of their roles."""
    mix = np.zeros(round(form.duration_s * SOURCE_RATE_HZ), dtype=np.float32)
    for part in parts:
        played = render_part(rng, form, part)
        samples = effects.apply(unit_level(played) * 0.1, effects.part_chain(rng, part.role))
        level_db = levels_db[part.role] + float(rng.normal(0, LEVEL_SPREAD_DB))
        mix += unit_level(samples) * np.float32(10 ** (level_db / 20))
    if rng.random() < 0.6:
        mix += effects.pink_noise(rng, len(mix)) * np.float32(10 ** (float(rng.uniform(-55, -22)) / 20))
    return mix


def unit_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scales to a root mean square of 1 where the part is playing at all."""
    level = active_level(samples)
    return samples if level == 0 else samples / np.float32(level)


def active_level(samples: NDArray[np.float32]) -> float:
    """Root mean square over the tenths of a second that are within 40 dB of the loudest; 0 for silence."""
    tenth = SOURCE_RATE_HZ // 10
    frames = samples[: len(samples) // tenth * tenth].reshape(-1, tenth)
    powers = np.mean(np.square(frames, dtype=np.float64), axis=1)
    active = powers[powers > powers.max(initial=0) * 1e-4]
    return float(np.sqrt(active.mean())) if active.size else 0.0


def balance(
    rng: np.random.Generator,
    voice: NDArray[np.float32],
    accompaniment: NDArray[np.float32],
    vocals: tuple[Segment, ...],
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Stems at a ratio of N(0, 5) dB where both sound, both through one master equaliser; the ratio in dB."""
    ratio_db = float(rng.normal(0, VOICE_TO_ACCOMPANIMENT_SPREAD_DB))
    chain_seed = int(rng.integers(2**32))
    if vocals:
        voice = unit_level(voice) * np.float32(10 ** (ratio_db / 20))
    accompaniment = unit_level(accompaniment)
    stems = [effects.apply(s, effects.master_chain(np.random.default_rng(chain_seed))) for s in (voice, accompaniment)]
    return stems[0], stems[1], ratio_db


def _describe(form: Form, parts: list[Part], choir: Choir, vocals: tuple[Segment, ...]) -> dict[str, Any]:
    singers = [choir.lead, choir.second, *choir.backing] if vocals else []
    return {
        "style": form.style.name,
        "tempo_bpm": round(form.tempo_bpm, 2),
        "beats_per_bar": form.beats_per_bar,
        "swing_beats": round(form.swing, 3),
        "tonic": form.key.tonic,
        "mode": form.key.mode,
        "duration_s": round(form.duration_s, 3),
        "sections": [
            {"kind": s.kind, "start_s": round(form.second(s.start_beat), 3), "sung": s.sung, "band": s.band}
            for s in form.sections
        ],
        "instruments": [
            {"role": part.role, "program": part.program, "pattern": part.pattern, "notes": len(part.notes)}
            for part in parts
        ],
        "choir_patches": sorted({part.program for part in parts if part.role == "choir" and part.notes}),
        "singers": sorted({singer.voice for singer in singers}),
        "language": choir.lead.language if vocals else None,
        "rap": choir.rap and bool(vocals),
        "sung_s": round(sum(s.end_s - s.start_s for s in vocals), 3),
    }
