"""The General MIDI soundfont that pretty_midi carries, as it is and in tune.

In a SoundFont the pitch at which a sample was recorded stands in its header. A zone of an instrument may override it
(SoundFont 2.04, section 8.1.2, generator 58), as this soundfont's nearly all do. The synthesiser reads the
header alone, so instruments sound transposed, each zone by another interval: an organ by a minor sixth, a piano's A4 by
almost two octaves. Here every such zone gets a header of its own with the pitch it asks for; the recordings are shared.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.writing import written_whole

BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<u2")])
SAMPLE = np.dtype([("name", "S20"), ("places", "V20"), ("key", "u1"), ("correction", "i1"), ("link", "V4")])
SAMPLE_ID, ROOT_KEY = 53, 58  # kinds of generators

Chunks = dict[bytes, bytes]  # content by name


def soundfont() -> Path:
    """The file as it comes.

    Raises:
        CorpusError: pretty_midi is not installed.
    """
    # Importing pretty_midi would load far more than the file that is wanted of it.
    spec = find_spec("pretty_midi")
    if spec is None or spec.origin is None:
        raise CorpusError("pretty_midi is not installed; its soundfont renders the accompaniment")
    return Path(spec.origin).parent / "TimGM6mb.sf2"


def tuned_soundfont(untuned: Path | None = None) -> Path:
    """That soundfont, or another, in tune, in the cache; written there when it is first needed."""
    source = untuned or soundfont()
    place = cache_folder() / "soundfonts" / f"{source.stem}-tuned.sf2"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(place) as unfinished:
            unfinished.write_bytes(tuned(source.read_bytes()))
    return place


def tuned(file: bytes) -> bytes:
    """A soundfont whose sample headers say what its zones' root keys say."""
    lists = {body[:4]: dict(_chunks(body[4:])) for _, body in _chunks(file[12:])}
    described = lists[b"pdta"]
    *samples, end = np.frombuffer(described[b"shdr"], SAMPLE)
    generators = np.frombuffer(described[b"igen"], GENERATOR).copy()
    zones = np.frombuffer(described[b"ibag"], BAG)["generator"]
    for first, last in pairwise(zones):
        zone = generators[first:last]
        keys, chosen = zone["amount"][zone["kind"] == ROOT_KEY], np.flatnonzero(zone["kind"] == SAMPLE_ID)
        if keys.size and chosen.size:
            header = samples[int(zone["amount"][chosen[0]])].copy()
            header["key"] = keys[0]
            zone["amount"][chosen[0]] = len(samples)
            samples.append(header)
    lists[b"pdta"] = described | {b"shdr": np.array([*samples, end], SAMPLE).tobytes(), b"igen": generators.tobytes()}
    return _chunk(b"RIFF", b"sfbk" + b"".join(_chunk(b"LIST", name + _joined(parts)) for name, parts in lists.items()))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        name, (size,) = content[at : at + 4], struct.unpack_from("<I", content, at + 4)
        yield name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _joined(parts: Chunks) -> bytes:
    return b"".join(_chunk(name, body) for name, body in parts.items())


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
