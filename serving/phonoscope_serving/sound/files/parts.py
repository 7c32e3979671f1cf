"""Where the recordings of a file lie in it: behind tags and what else comes first, and joined one behind the other."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from phonoscope_serving.sound.files import mpeg, wave

_OGG_PAGE = re.compile(rb"OggS\x00([\x00-\x07])")
_FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_MATROSKA_START = re.compile(rb"\x1a\x45\xdf\xa3.{1,48}?(?:matroska|webm)", re.DOTALL)
_FIRST, _LAST = 2, 4  # of an Ogg stream's pages: bits of their flags
_MOST_BOXES = 250_000
_MOST_TAGS = 64  # places that look like a tag, from the end of a part
_STARTS = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"caff", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3")


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


def ogg_is_whole(content: bytes) -> bool:
    """Whether the last page of an Ogg file says that it is the last, and is all there."""
    at = content.rfind(b"OggS\x00")
    page = content[at : at + 27]
    if len(page) < 27 or not page[5] & _LAST:
        return False
    lacing = content[at + 27 : at + 27 + page[26]]
    return len(lacing) == page[26] and at + 27 + len(lacing) + sum(lacing) <= len(content)


def mp4_is_whole(content: bytes) -> bool:
    """Whether every box of an MP4 file is all there."""
    return all(at + size <= len(content) for at, size, _ in _boxes(content))


def _later_starts(content: bytes) -> list[int]:
    """Where further recordings begin."""
    if content.startswith(b"fLaC"):
        starts = [match.start() for match in _FLAC_START.finditer(content)]
    elif content.startswith(b"\x1a\x45\xdf\xa3"):
        starts = [match.start() for match in _MATROSKA_START.finditer(content)]
    elif content.startswith(b"OggS"):
        starts = _ogg_links(content)
    elif wave.is_wave(content):
        starts = _waves(content)
    elif content[4:8] == b"ftyp":
        starts = [at for at, _, name in _boxes(content) if name == b"ftyp"]
    else:
        starts = mpeg.frames_with_tables(content) if content[:1] == b"\xff" else []
    return starts


def _ogg_links(content: bytes) -> list[int]:
    """Where a stream's first page follows a page that is no first one."""
    links, headers = [0], True
    for match in _OGG_PAGE.finditer(content):
        is_first = bool(match[1][0] & _FIRST)
        if is_first and not headers:
            links.append(match.start())
        headers = is_first
    return links


def _waves(content: bytes) -> list[int]:
    starts, at = [0], wave.end_of_file(content, 0)
    while wave.is_wave(content[at : at + 12]):
        starts.append(at)
        at = wave.end_of_file(content, at)
    return starts


def _boxes(content: bytes) -> list[tuple[int, int, bytes]]:
    """Place, size and name of the outermost boxes of an MP4 file."""
    boxes: list[tuple[int, int, bytes]] = []
    at = 0
    while at + 8 <= len(content) and len(boxes) < _MOST_BOXES:
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        elif size == 0:
            size = len(content) - at
        if size < 8:
            break
        boxes.append((at, size, name))
        at += size
    return boxes


def _behind_tags(content: bytes, at: int) -> int:
    """The first byte behind ID3v2 tags, of which some files have several, and behind the zeros that may pad them."""
    while content[at : at + 3] == b"ID3" and len(content) >= at + 10:
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
