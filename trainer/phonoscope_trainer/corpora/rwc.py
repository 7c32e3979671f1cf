"""RWC Popular Music Database (Goto et al. 2002): 100 songs, read through mirdata.

The labels are the vocal and instrumental activity annotations of Mauch et al. (ISMIR 2011). There is no official split:
songs of one singer stay together, and the singer's name decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from phonoscope_trainer.corpora.corpus import Corpus, Segment, Track, split_of
from phonoscope_trainer.corpora.labels import merge_gaps
from phonoscope_trainer.corpora.optional_package import optional_package
from phonoscope_trainer.errors import CorpusError

LICENCE = "RWC Music Database: research use"
HOW_TO_GET = (
    "Get the audio from https://staff.aist.go.jp/m.goto/RWC-MDB/ as audio/rwc-p-m01/1.wav to audio/rwc-p-m07/10.wav, "
    "and the rest with `python -c \"import mirdata; mirdata.initialize('rwc_popular', data_home='FOLDER').download()\"`"
)
VOICES = ("f", "m", "g")  # first letters of the labels female, male and group; others are instruments
TOUCHING_S = 0.001


def load(root: Path) -> Corpus:
    """The songs under `root`, in mirdata's layout of `rwc_popular`.

    mirdata keeps its index of the files in its own folder; one of the same name in `root` is preferred.

    Raises:
        CorpusError: mirdata is not installed, its index or its metadata are missing, or a file is.
    """
    dataset = optional_package("mirdata").initialize("rwc_popular", data_home=str(root))
    index = root / Path(dataset.index_path).name
    if index.is_file():
        dataset.index_path = str(index)
    try:
        tracks = [_track(song) for song in dataset.load_tracks().values()]
    except FileNotFoundError as error:
        raise CorpusError(f"rwc: {root} is incomplete: {error}. {HOW_TO_GET}") from error
    return Corpus("rwc-popular", LICENCE, tuple(tracks))


def _track(song: Any) -> Track:  # noqa: ANN401 - mirdata has no types
    """A song of mirdata's as a track; its files are looked for, not read."""
    audio = Path(song.audio_path)
    if not audio.is_file():
        raise FileNotFoundError(f"{audio} is missing")
    activity = song.vocal_instrument_activity
    if activity is None:
        raise FileNotFoundError(f"{song.track_id} has no vocal activity annotation")
    sung = [
        Segment(float(start_s), float(end_s))
        for (start_s, end_s), label in zip(activity.intervals, activity.events, strict=True)
        if label.startswith(VOICES) and end_s > start_s
    ]
    singer = song.artist or song.track_id
    return Track(song.track_id, singer, split_of(singer), merge_gaps(sung, TOUCHING_S), mixture=audio)
