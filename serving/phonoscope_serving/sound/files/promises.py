"""What a file promises to hold, beside what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from phonoscope_serving.sound.files import boxes, mpeg, wave
from phonoscope_serving.sound.files.container import OpenedFile
from phonoscope_serving.sound.warning import SoundWarning, WarningKind

_COUNTED = ("aiff", "caf", "w64")  # containers whose headers count samples right, but not what codecs make of them
SLACK_S = 0.1  # containers round, and count padding or do not


def promised_s(file: OpenedFile, content: bytes) -> float | None:
    """How long the header says that the recording lasts, in seconds; None where it does not say, or often errs.

    Args:
        file: opened.
        content: its bytes.
    """
    container, stream, decoder = file.container, file.stream, file.decoder
    name = container.format.name
    if name == "mp3":
        frames = mpeg.promised_frames(content)
        return None if frames is None else frames * (decoder.frame_size or 1152) / decoder.sample_rate
    if name.startswith("matroska"):
        return None if container.duration is None else container.duration / 1e6
    counts = name == "flac" or name.startswith("mov") or (name in _COUNTED and decoder.name.startswith("pcm_"))
    if not counts or stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def cut_short(file: OpenedFile, content: bytes, held_s: float, *, is_cut: bool) -> Iterator[SoundWarning]:
    """Warns of a file that ends before its recording does.

    Args:
        file: opened.
        content: its bytes.
        held_s: how long the sound in it lasts, gaps included.
        is_cut: whether its last packet is not all there.
    """
    header = wave.read_header(content) if wave.is_wave(content) else None
    if header:
        yield from wave.cut_short(header, held_s)
    name, promised = file.container.format.name, promised_s(file, content)
    if promised is not None and promised > held_s + SLACK_S:
        sentence = f"The header promises {promised:.3f} s, the file ends after {held_s:.3f} s: these are heard."
    elif is_cut or not boxes.is_whole(content, name):
        sentence = f"The end of the file is missing: the {held_s:.3f} s before are heard."
    else:
        return
    yield SoundWarning(WarningKind.TRUNCATED, held_s, held_s, sentence)
