"""What accidents and attackers do to bytes. The same random numbers damage the same bytes in the same way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from random import Random

HEADER_BYTES = 200  # where most fields lie that say how much there is of something
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, (1 << 64) - 1)
OGG = b"OggS\0"
REFLECTED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
MOST_KINDS = 3  # of damage to one file


def damaged(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A file with one to three kinds of damage.

    Args:
        content: the file.
        others: files that something of may get into it.
        random: what decides.
    """
    for _ in range(random.randint(1, MOST_KINDS)):
        content = random.choice(KINDS)(content, random) if random.random() < 0.9 else joined(content, others, random)
    return sealed(content) if random.random() < 0.5 else content


def flipped_bits(content: bytes, random: Random) -> bytes:
    """One to sixteen bits, anywhere or near the start."""
    result = bytearray(content)
    reach = _reach(content, random)
    for _ in range(random.randint(1, 16) if reach else 0):
        result[random.randrange(reach)] ^= 1 << random.randrange(8)
    return bytes(result)


def noisy_bytes(content: bytes, random: Random) -> bytes:
    """A share of all bytes, up to one in ten, replaced at random."""
    result = bytearray(content)
    reach = _reach(content, random)
    for _ in range(random.randint(0, max(1, reach // 10)) if reach else 0):
        result[random.randrange(reach)] = random.randrange(256)
    return bytes(result)


def extreme_fields(content: bytes, random: Random) -> bytes:
    """One to three numbers of the header set to the smallest, the largest, or what is beyond."""
    result = bytearray(content)
    for _ in range(random.randint(1, 3)):
        size = random.choice((2, 4, 8))
        places = range(0, min(HEADER_BYTES, len(content) - size) + 1, random.choice((1, 2, 4)))
        if places:
            at = random.choice(places)
            value = random.choice(EXTREMES) & ((1 << 8 * size) - 1)
            result[at : at + size] = value.to_bytes(size, random.choice(("little", "big")))
    return bytes(result)


def zeroed(content: bytes, random: Random) -> bytes:
    """A stretch that holds nothing."""
    first, last = _stretch(content, random)
    return content[:first] + bytes(last - first) + content[last:]


def removed(content: bytes, random: Random) -> bytes:
    """A stretch that is missing."""
    first, last = _stretch(content, random)
    return content[:first] + content[last:]


def repeated(content: bytes, random: Random) -> bytes:
    """A stretch that comes several times."""
    first, last = _stretch(content, random)
    return content[:first] + content[first:last] * random.randint(2, 4) + content[last:]


def swapped(content: bytes, random: Random) -> bytes:
    """Two stretches in the wrong order."""
    first, middle, last = sorted(random.randint(0, len(content)) for _ in range(3))
    return content[:first] + content[middle:last] + content[first:middle] + content[last:]


def cut(content: bytes, random: Random) -> bytes:
    """The file up to somewhere."""
    return content[: random.randint(0, len(content))]


def beheaded(content: bytes, random: Random) -> bytes:
    """The file from somewhere near its start on."""
    return content[random.randint(0, _reach(content, random)) :]


def surrounded(content: bytes, random: Random) -> bytes:
    """What is no sound before it, behind it, or both."""
    before = random.randbytes(random.choice((0, 1, 7, 512, 4096)))
    behind = random.choice((bytes, random.randbytes))(random.choice((0, 1, 13, 4096)))
    return before + content + behind


def joined(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Another file behind it, or a stretch of one amid it."""
    other = random.choice(others)
    if random.random() < 0.5:
        return content + other
    at, (first, last) = random.randint(0, len(content)), _stretch(other, random)
    return content[:at] + other[first:last] + content[at:]


def sealed(content: bytes) -> bytes:
    """The checksums of Ogg pages put right, so that what is damaged within is met (RFC 3533: nothing is reflected)."""
    result, at = bytearray(content), content.find(OGG)
    while 0 <= at <= len(content) - 27:
        lacing = content[at + 27 : at + 27 + content[at + 26]]
        end = at + 27 + len(lacing) + sum(lacing)
        page = bytes(result[at : at + 22]) + bytes(4) + bytes(result[at + 26 : end])
        register = zlib.crc32(page.translate(REFLECTED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        result[at + 22 : at + 26] = struct.pack(">I", register).translate(REFLECTED)
        at = content.find(OGG, at + 27)
    return bytes(result)


KINDS = (
    *(flipped_bits, noisy_bytes, extreme_fields, extreme_fields, zeroed, removed, repeated, swapped),
    *(cut, beheaded, surrounded),
)


def _stretch(content: bytes, random: Random) -> tuple[int, int]:
    """First byte, and the one behind the last: short ones are as likely as long ones."""
    first = random.randint(0, _reach(content, random))
    length = round(len(content) ** random.random())
    return first, min(len(content), first + length)


def _reach(content: bytes, random: Random) -> int:
    """How far into the file damage goes: everywhere, or its header only."""
    return min(len(content), HEADER_BYTES) if random.random() < 0.4 else len(content)
