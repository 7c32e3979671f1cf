"""Where the recordings of a file lie in it: behind tags and what else comes first, and joined one behind the other."""

from __future__ import annotations

import re
from itertools import islice, pairwise

import numpy as np

from phonoscope_serving.sound.files import boxes, mpeg
from phonoscope_serving.sound.files.boxes import CHUNKED, MOST, STARTS, places

_OGG_PAGE = re.compile(rb"OggS\x00([\x00-\x07])")
_FLAC_START = re.compile(rb"(?<!\x7fFLAC.{4})fLaC[\x00\x80]\x00\x00\x22", re.DOTALL)  # but in Ogg
_MATROSKA_START = re.compile(rb"\x1a\x45\xdf\xa3.{1,48}?(?:matroska|webm)", re.DOTALL)
_FIRST = 2  # of an Ogg stream's pages: a bit of its flags
_MOST_CHANGES = 8  # of kind that are followed
_MOST_TAGS = 64  # that are looked at, at the start of a file or the end of a part
_ANY_START = re.compile(
    rb"RIFF.{4}WAVE|RIFX.{4}WAVE|RF64.{4}WAVE|FORM.{4}AIF[FC]|riff\x2e\x91\xcf\x11|caff\x00\x01|\x00\x00\x00.ftyp|"
    rb"fLaC[\x00\x80]\x00\x00\x22|OggS\x00\x02|\x1a\x45\xdf\xa3.{1,48}?(?:matroska|webm)",
    re.DOTALL,
)


def parts(content: bytes, changes: int = _MOST_CHANGES) -> list[tuple[int, int]]:
    """The first and last byte but one of each recording in a file; at least one, whether or not it is sound.

    What is frames only tells its end when it is read; see `following`.

    Args:
        content: the file.
        changes: of kind that are followed.
    """
    start = _behind_tags(content, 0)
    if content[start : start + 4] not in STARTS and content[start + 4 : start + 8] != b"ftyp":
        start += _first_frame(content[start:]) or 0
    body = content[start:] if start else content
    starts = [0, *(at for at in _later_starts(body) if at > 0)]
    ends = [_before_tag(body, here, there) for here, there in pairwise(starts)]
    found: list[tuple[int, int]] = []
    for first, end in zip(starts, [*ends, len(body)], strict=True):
        found += [(start + first + here, start + first + there) for here, there in _unlike(body[first:end], changes)]
    return found


def following(content: bytes, end: int, but: mpeg.HeaderReader | None = None) -> int | None:
    """Where another recording, of whatever kind, begins behind one that ended; None where none does.

    Args:
        content: a part of a file.
        end: first byte that is not of the recording in it any more.
        but: reads headers of frames that are none of another recording.
    """
    if end >= len(content):
        return None
    behind = content[end:]
    candidates = [_first_frame(behind, but)]
    if match := _ANY_START.search(behind):
        candidates.append(match.start())
    nearest = min((place for place in candidates if place is not None), default=None)
    return None if nearest is None else end + nearest


def _unlike(content: bytes, changes: int) -> list[tuple[int, int]]:
    """All of a part, or what it says that it holds and recordings of other kinds behind that."""
    end = boxes.end_of(content)
    begins = following(content, end) if changes else None
    if begins is not None and content[:4] in CHUNKED and any(content[_behind_tags(content, end) : begins]):
        begins = None  # samples that the header does not count
    if begins is None:
        return [(0, len(content))]
    later = parts(content[begins:], changes - 1)
    return [(0, _before_tag(content, 0, begins)), *((begins + first, begins + last) for first, last in later)]


def _first_frame(content: bytes, but: mpeg.HeaderReader | None = None) -> int | None:
    """Where frames of MPEG audio or AAC begin that follow each other."""
    readers = (read for read in (mpeg.frame_headers, mpeg.adts_headers) if read is not but)
    return mpeg.first_frame(np.frombuffer(content, np.uint8), *readers)


def _later_starts(content: bytes) -> list[int]:
    """Where further recordings of the same kind begin."""
    if content.startswith(b"fLaC"):
        starts = [at for at in places(b"fLaC", content) if _FLAC_START.match(content, at)]
    elif content.startswith(b"\x1a\x45\xdf\xa3"):
        starts = [at for at in places(b"\x1a\x45\xdf\xa3", content) if _MATROSKA_START.match(content, at)]
    elif content.startswith(b"OggS"):
        starts = _ogg_links(content)
    elif content[:4] in CHUNKED:
        starts = _chunks(content)
    else:
        starts = mpeg.frames_with_tables(content) if content[:1] == b"\xff" else []
    return starts


def _ogg_links(content: bytes) -> list[int]:
    """Where a stream's first page follows a page that is no first one."""
    links, headers = [0], True
    for match in islice(_OGG_PAGE.finditer(content), MOST):
        is_first = bool(match[1][0] & _FIRST)
        if is_first and not headers:
            links.append(match.start())
        headers = is_first
    return links


def _chunks(content: bytes) -> list[int]:
    """Where WAV or AIFF files begin that lie one behind the other."""
    starts: list[int] = []
    at = 0
    while content[at : at + 4] in CHUNKED and len(starts) < MOST:
        starts.append(at)
        at = _behind_tags(content, boxes.end_of_chunk(content, at))
    return starts


def _behind_tags(content: bytes, at: int) -> int:
    """The first byte behind ID3v2 tags, of which some files have several."""
    for _ in range(_MOST_TAGS):
        if content[at : at + 3] != b"ID3" or len(content) < at + 10:
            break
        at += _tag_bytes(content[at : at + 10])
    return at


def _before_tag(content: bytes, first: int, end: int) -> int:
    """Where a part ends that an ID3v2 tag of the next part follows."""
    at = end
    for _ in range(_MOST_TAGS):
        at = content.rfind(b"ID3", first, at)
        if at < 0:
            break
        if _behind_tags(content, at) == end:
            return at
    return end


def _tag_bytes(header: bytes) -> int:
    """Length of an ID3v2 tag by its first ten bytes, which spread the number over seven bits each."""
    size = sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(header[6:10]))
    return 10 + size + (10 if header[5] & 0x10 else 0)
