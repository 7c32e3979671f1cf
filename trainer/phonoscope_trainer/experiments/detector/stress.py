"""Stress tests: how far can a sound be changed before a detector says something else?

Level, as nobody sings less where a recording is quieter (Schlüter & Lehner, ISMIR 2018); vibrato of instruments and
voice-like patches, which a detector of wavering pitch or of formants takes for singing (Lehner, Widmer & Sonnleitner,
ICASSP 2014); a voice that sinks below its accompaniment; and noise. One threshold throughout: the detector's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from tqdm import tqdm

from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.corpora.rendered.song import active_level
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.detector import stress_sounds, unsung_sounds
from phonoscope_trainer.experiments.detector.stress_sounds import Samples, StemSong, gain, root_mean_square
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.listeners import Listener
from phonoscope_trainer.measures.scores import Curve, auc, pooled, scores, smooth
from phonoscope_trainer.networks.label import is_vocal

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class StressOptions:
    """How sounds are changed."""

    levels_db: tuple[float, ...] = (-30, -24, -18, -12, -6, 0, 6, 12)
    depths_semitones: tuple[float, ...] = (0, 0.25, 0.5, 1, 2)
    rates_hz: tuple[float, ...] = (4, 5.5, 7)
    voice_db: tuple[float, ...] = (-12, -6, 0, 6, 12)  # voice over accompaniment, where each sounds
    noise_snr_db: tuple[float, ...] = (40, 30, 20, 10, 0)
    colours: tuple[str, ...] = ("white", "pink")

    def __post_init__(self) -> None:
        if 0 not in self.levels_db:
            raise OptionsError("levels_db needs 0, the level the others are compared with")
        if unknown := set(self.colours) - {"white", "pink"}:
            raise OptionsError(f"colours: noise is white or pink, not {', '.join(sorted(unknown))}")


@dataclass(frozen=True, slots=True)
class Stressed:
    """A detector with its threshold, and the bar that counts what it has listened to."""

    listener: Listener
    threshold: float
    bar: tqdm[None]

    def curves(self, songs: Sequence[StemSong], sounds: Iterable[Samples]) -> list[Curve]:
        """What is heard in each song's changed sound."""
        heard = []
        for song, sound in zip(songs, sounds, strict=True):
            probability = self.listener(sound)
            labels = frame_labels(song.vocals, len(probability), FRONTEND.frames_per_second)
            heard.append(Curve(probability, smooth(probability), labels))
            self.bar.update()
        return heard

    def called_sung(self, sounds: Iterable[Samples]) -> float:
        """Share of the frames of some sounds that are called sung."""
        called = [is_vocal(smooth(self.listener(sound)), self.threshold) for sound in sounds]
        self.bar.update()
        return float(np.concatenate(called).mean())

    def row(self, curves: Sequence[Curve]) -> Row:
        """Pooled scores of a condition; the ratios that it has no frames for are None."""
        smoothed, labels = pooled(curves)
        found = asdict(scores(smoothed, labels, self.threshold))
        wanted = {name: found[name] for name in ("error", "recall", "specificity")}
        return {"auc": auc(smoothed, labels)} | {k: None if np.isnan(v) else v for k, v in wanted.items()}


def measure(
    listener: Listener, threshold: float, songs: Sequence[StemSong], options: StressOptions
) -> dict[str, object]:
    """Every stress test's rows, ready for JSON."""
    conditions = len(options.levels_db) + len(options.voice_db) + len(options.noise_snr_db) * len(options.colours)
    spoken = len(unsung_sounds.SPEAKERS) + len(unsung_sounds.sirens())
    sounds = len(options.depths_semitones) * len(options.rates_hz) + len(stress_sounds.VOICE_LIKE) + spoken + 3
    with tqdm(total=conditions * len(songs) + sounds, desc="stress", unit="sound") as bar:
        stressed = Stressed(listener, threshold, bar)
        return {
            "threshold": threshold,
            "songs": [song.name for song in songs],
            "level": list(_level(stressed, songs, options)),
            "vibrato": list(_vibrato(stressed, options)),
            "patches": list(_patches(stressed, songs)),
            "voice": list(_voice(stressed, songs, options)),
            "noise": list(_noise(stressed, songs, options)),
        }


def _level(stressed: Stressed, songs: Sequence[StemSong], options: StressOptions) -> Iterator[Row]:
    """Scores by level, and the largest change of any frame's probability from that at 0 dB."""
    mixtures = [_mixture(song) for song in songs]
    heard = {db: stressed.curves(songs, (gain(db) * mixture for mixture in mixtures)) for db in options.levels_db}
    for db, curves in heard.items():
        changes = [
            float(np.abs(curve.probability - before.probability).max())
            for curve, before in zip(curves, heard[0], strict=True)
        ]
        yield {"db": db, "largest_change": max(changes)} | stressed.row(curves)


def _vibrato(stressed: Stressed, options: StressOptions) -> Iterator[Row]:
    """Share of frames of solo instruments called sung, by depth and rate."""
    solos = [stress_sounds.solo(program) for program in stress_sounds.SOLOISTS.values()]
    for rate_hz in options.rates_hz:
        for depth in options.depths_semitones:
            share = stressed.called_sung(stress_sounds.vibrato(solo, depth, rate_hz) for solo in solos)
            yield {"depth_semitones": depth, "rate_hz": rate_hz, "called_sung": share}


def _patches(stressed: Stressed, songs: Sequence[StemSong]) -> Iterator[Row]:
    """Share of frames called sung of voice-like patches, speech and sirens; beside them the songs' own stems, alone."""
    for name, program in stress_sounds.VOICE_LIKE.items():
        yield {"sound": name, "program": program, "called_sung": stressed.called_sung([stress_sounds.solo(program)])}
    speech = unsung_sounds.speech()
    for name, sound in (speech | unsung_sounds.sirens()).items():
        yield {"sound": name, "called_sung": stressed.called_sung([sound])}
    spoken_over = unsung_sounds.over(list(speech.values()), [song.accompaniment for song in songs])
    yield {"sound": "speech over accompaniments", "called_sung": stressed.called_sung(spoken_over)}
    yield {"sound": "accompaniments", "called_sung": stressed.called_sung(song.accompaniment for song in songs)}
    yield {"sound": "voices", "called_sung": stressed.called_sung(map(_sung_part, songs))}


def _voice(stressed: Stressed, songs: Sequence[StemSong], options: StressOptions) -> Iterator[Row]:
    """Scores by the voice's level over its accompaniment, the mixture's own level unchanged."""
    for db in options.voice_db:
        curves = stressed.curves(songs, (_balanced(song, db) for song in songs))
        yield {"db": db} | stressed.row(curves)


def _noise(stressed: Stressed, songs: Sequence[StemSong], options: StressOptions) -> Iterator[Row]:
    """Scores by colour of the noise and how far it lies below the mixture."""
    for colour in options.colours:
        for snr_db in options.noise_snr_db:
            curves = stressed.curves(songs, (_noisy(song, colour, snr_db, i) for i, song in enumerate(songs)))
            yield {"colour": colour, "snr_db": snr_db} | stressed.row(curves)


def _mixture(song: StemSong) -> Samples:
    return song.voice + song.accompaniment


def _sung_part(song: StemSong) -> Samples:
    """The voice from the first word to the last."""
    first, last = (round(s * FRONTEND.sample_rate_hz) for s in (song.vocals[0].start_s, song.vocals[-1].end_s))
    return song.voice[first:last]


def _balanced(song: StemSong, voice_db: float) -> Samples:
    voice, accompaniment = (stem / np.float32(active_level(stem)) for stem in (song.voice, song.accompaniment))
    balanced = gain(voice_db) * voice + accompaniment
    return np.asarray(balanced * (root_mean_square(_mixture(song)) / root_mean_square(balanced)), np.float32)


def _noisy(song: StemSong, colour: str, snr_db: float, seed: int) -> Samples:
    mixture = _mixture(song)
    added = stress_sounds.noise(colour, len(mixture), seed) * (root_mean_square(mixture) * gain(-snr_db))
    return np.asarray(mixture + added, np.float32)
