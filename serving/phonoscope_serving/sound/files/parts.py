"""Where the recordings of a file lie in it: behind tags and what else comes first, and joined one behind the other."""

from __future__ import annotations

import re
from itertools import islice, pairwise

import numpy as np

from phonoscope_serving.sound.files import boxes, mpeg
from phonoscope_serving.sound.files.boxes import MOST, places

_OGG_PAGE = re.compile(rb"OggS\x00([\x00-\x07])")
_FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_MATROSKA_START = re.compile(rb"\x1a\x45\xdf\xa3.{1,48}?(?:matroska|webm)", re.DOTALL)
_FIRST = 2  # of an Ogg stream's pages: a bit of its flags
_MOST_TAGS = 64  # that are looked at, at the start of a file or the end of a part
_CHUNKED = (b"RIFF", b"RIFX", b"RF64", b"FORM")
_STARTS = (*_CHUNKED, b"riff", b"caff", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3")


def parts(content: bytes) -> list[tuple[int, int]]:
    """The first and last byte but one of each recording in a file; at least one, whether or not it is sound."""
    start = _behind_tags(content, 0)
    if content[start : start + 4] not in _STARTS and content[start + 4 : start + 8] != b"ftyp":
        frame = mpeg.first_frame(np.frombuffer(content, np.uint8)[start:])
        start += frame or 0
    body = content[start:] if start else content
    starts = [0, *(at for at in _later_starts(body) if at > 0)]
    ends = [_before_tag(body, here, there) for here, there in pairwise(starts)]
    return [(start + first, start + end) for first, end in zip(starts, [*ends, len(body)], strict=True)]


def _later_starts(content: bytes) -> list[int]:
    """Where further recordings begin."""
    if content.startswith(b"fLaC"):
        starts = [at for at in places(b"fLaC", content) if _FLAC_START.match(content, at)]
    elif content.startswith(b"\x1a\x45\xdf\xa3"):
        starts = [at for at in places(b"\x1a\x45\xdf\xa3", content) if _MATROSKA_START.match(content, at)]
    elif content.startswith(b"OggS"):
        starts = _ogg_links(content)
    elif content[:4] in _CHUNKED:
        starts = _chunks(content)
    elif content[4:8] == b"ftyp":
        starts = [box.start for box in boxes.mp4(content) if box.name == b"ftyp"]
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
    while content[at : at + 4] in _CHUNKED and len(starts) < MOST:
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
