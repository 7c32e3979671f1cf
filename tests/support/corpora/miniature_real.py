"""Real music in miniature: a recording or two of each kind, with its tables."""

from __future__ import annotations

import csv
from pathlib import Path

import soundfile
from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.corpora.labels import write_lab

from support.corpora.music import melody

RATE_HZ = 22_050
ROWS = [  # file, licence, vocals, group, split
    ("stems/voice/a.b.ogg + stems/accompaniment/a.b.ogg", "CC0 1.0", "see .lab", "band", "train"),
    ("songs/one.ogg", "CC BY 4.0", "see .lab", "artist", "train"),
    ("songs/two.ogg", "CC BY 4.0", "see .lab", "artist", "test"),
    ("voice/x.ogg", "CC0 1.0", "see .lab", "singer", "test"),
    ("voice/y.ogg", "CC0 1.0", "see .lab", "other", "test"),
    ("silver/s.ogg", "CC0 1.0", "see .lab", "machine", "train"),
    ("instrumental/i.ogg", "GPL-2+", "none", "game", "test"),
]


def write_audio(path: Path, seconds: float = 2.0, gain: float = 0.3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, gain * melody(seconds, sample_rate_hz=RATE_HZ), RATE_HZ)
    return path


def write_real(root: Path) -> Path:
    """Write `ROWS` as tables and recordings of two seconds, sung from .5 to 1.5 s, under `root`."""
    for file, _, vocals, _, _ in ROWS:
        paths = [write_audio(root / name) for name in file.split(" + ")]
        beside = root / "stems/labels/a.b.lab" if len(paths) > 1 else paths[0].with_suffix(".lab")
        if vocals != "none":
            beside.parent.mkdir(exist_ok=True)
            write_lab(beside, [Segment(0.5, 1.5)], 2.0)
    for name, columns in (("manifest.csv", ("file", "licence", "vocals", "group")), ("splits.csv", ("file", "split"))):
        rows = [dict(zip(("file", "licence", "vocals", "group", "split"), row, strict=True)) for row in ROWS]
        with (root / name).open("w", newline="") as file:
            csv.writer(file).writerows([columns, *([row[column] for column in columns] for row in rows)])
    return root
