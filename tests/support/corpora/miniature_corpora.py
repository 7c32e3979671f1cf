"""Corpora in miniature: the real layouts and file names, a tenth of a second of sound in each file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import soundfile
from phonoscope_trainer.corpora import jamendo
from phonoscope_trainer.corpora.corpus import SPLITS

from support.corpora.music import melody


def write_audio(path: Path, samples: np.ndarray | None = None, rate: int = 22050) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, melody(0.1, sample_rate_hz=rate) if samples is None else samples, rate)
    return path


def miniature_jamendo(root: Path, layout: str = "audio") -> Path:
    for split in SPLITS:
        for song in jamendo.song_names(split):
            write_audio(root / (layout if layout == "audio" else split) / f"{song}.ogg")
            label = root / ("labels" if layout == "audio" else "jamendo_lab") / f"{song}.lab"
            label.parent.mkdir(exist_ok=True)
            label.write_text("0.000 0.050 sing\n0.050 0.100 nosing\n")
    return root


def miniature_rwc(root: Path) -> Path:
    songs = [("RM-P001", "Kazuo Nishi"), ("RM-P002", "Hiromi Yoshii"), ("RM-P003", "Kazuo Nishi")]
    index, rows = {}, []
    for number, (song, singer) in enumerate(songs, start=1):
        audio, label = (
            f"audio/rwc-p-m01/{number}.wav",
            f"annotations/AIST.RWC-MDB-P-2001.VOCA_INST/{song}.VOCA_INST.TXT",
        )
        index[song] = {"audio": [audio, ""], "voca_inst": [label, ""]}
        index[song] |= {kind: [None, None] for kind in ("sections", "beats", "chords")}
        write_audio(root / audio)
        (root / label).parent.mkdir(parents=True, exist_ok=True)
        (root / label).write_text(
            "0.000000000\tb\n10.293061224\tm:withm\n11.883492063\tf\n12.087845804\tb\n"
            "20.832653061\ts:electricguitar\n26.465306122\tg\n27.5\te\n"
        )
        rows.append(
            (f"No. {number}", "M01", f"Tr. {number:02}", "Title", singer, "Male", "03:29", "135", "Gt", "Loops")
        )
    (root / "rwc_popular_index_1.0.json").write_text(json.dumps({"version": 1.0, "tracks": index}))
    (root / "metadata-master").mkdir()
    with (root / "metadata-master" / "rwc-p.csv").open("w", newline="") as file:
        heading = "Piece No.,Cat. Suffix,Tr. No.,Title,Artist (Vocal),Singer Information,Length,Tempo,Live,Drum"
        csv.writer(file).writerows([heading.split(","), *rows])
    return root


def miniature_fma(root: Path) -> Path:
    rows = [
        ["", "album", "artist", "set", "set", "track"],
        ["", "title", "id", "split", "subset", "license"],
        ["track_id", "", "", "", "", ""],
        ["2", "AWOL", "1", "training", "small", "CC BY-NC-SA"],
        ["5", "A\nbiography", "1", "training", "medium", "CC BY"],
        ["140", "Way", "54", "validation", "small", "CC BY"],
        ["10250", "Far", "77", "test", "small", "CC0"],
        ["155000", "Large", "99", "test", "large", "CC0"],
    ]
    (root / "fma_metadata").mkdir(parents=True)
    with (root / "fma_metadata" / "tracks.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    for name in ("000/000002", "000/000140", "010/010250"):
        write_audio(root / "fma_small" / f"{name}.mp3")
    return root


def half_sung(seconds: float = 2.0, rate: int = 44100) -> tuple[np.ndarray, np.ndarray]:
    """A voice in the second half of the time, as loud as its accompaniment."""
    voice = melody(seconds, seed=1, sample_rate_hz=rate)
    voice[: len(voice) // 2] *= 0.003
    return voice, melody(seconds, seed=2, sample_rate_hz=rate)


def miniature_musdb_hq(root: Path) -> Path:
    voice, accompaniment = half_sung()
    for song in (
        "train/A Classic Education - NightOwl",
        "train/Actions - One Minute Smile",
        "test/Al James - Schoolboy Facination",
    ):
        parts = {"vocals": voice, "drums": accompaniment, "bass": 0.5 * accompaniment, "other": 0 * accompaniment}
        for part, samples in (parts | {"mixture": sum(parts.values())}).items():
            write_audio(root / song / f"{part}.wav", np.stack([samples] * 2, axis=1), 44100)
    return root


def miniature_mir1k(root: Path) -> Path:
    voice, accompaniment = half_sung(rate=16000)
    for clip in ("abjones_1_01", "amy_1_01", "titon_2_03"):
        write_audio(root / "Wavfile" / f"{clip}.wav", np.stack([accompaniment, voice], axis=1), 16000)
        (root / "vocal-nonvocalLabel").mkdir(exist_ok=True)
        (root / "vocal-nonvocalLabel" / f"{clip}.vocal").write_text("0\n" * 50 + "1\n" * 49)
    return root
