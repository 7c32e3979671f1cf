"""Files of sound as programs and accidents make them, and how what is heard of them compares with what went in."""

from __future__ import annotations

import base64
import io
import struct
import subprocess
from pathlib import Path

import av
import numpy as np
import phonoscope_client.demo
import soundfile
from phonoscope_serving.sound.audio import EncodedAudio
from phonoscope_serving.sound.opening import open_recording

from support.system_programs import program

PACKAGES = {"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "lame": "lame", "sox": "sox"}
SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"


def song(seconds=None, start_s=0.0):
    """The song that ships, `[N]` at 22050 Hz, or a part of it."""
    samples, rate_hz = soundfile.read(SONG, dtype="float32")
    assert rate_hz == 22050
    first = round(start_s * rate_hz)
    return samples[first : None if seconds is None else first + round(seconds * rate_hz)]


def made(command, folder, **inputs):
    """The file that a command line makes; `{name}` in it stands for a file: a given input or the output, `{out}`.

    Args:
        command: words; the first is a program, without which the test is skipped.
        folder: where files go.
        inputs: bytes of input files, by name.
    """
    words = command.split()
    paths = {name: Path(folder, name) for name in (*inputs, "out")}
    for name, content in inputs.items():
        paths[name].write_bytes(content)
    words[0] = program(words[0], PACKAGES[words[0]])
    suffix = next((word[len("{out}") :] for word in words if word.startswith("{out}")), "")
    paths["out"] = Path(folder, "out" + suffix)
    paths["out"].unlink(missing_ok=True)
    words = [word.replace("{out}" + suffix, str(paths["out"])) for word in words]
    words = [str(paths[word[1:-1]]) if word.startswith("{") and word[1:-1] in paths else word for word in words]
    run = subprocess.run(words, check=False, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    return paths["out"].read_bytes() if paths["out"].exists() else run.stdout


def wav(samples, rate_hz=22050):
    """A WAV file of 16 bits; samples `[N]` or `[N, C]`."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


def coded(samples, rate_hz, container, codec, layout="mono", **options):
    """A file that FFmpeg inside PyAV makes, for kinds that no program has to be installed for; samples `[C, N]`."""
    file = io.BytesIO()
    with av.open(file, "w", container, container_options=options) as output:
        stream = output.add_stream(codec, rate_hz)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.atleast_2d(samples)), "fltp", layout)
        frame.sample_rate = rate_hz
        for part in (frame, None):
            output.mux(stream.encode(part))
    return file.getvalue()


def picture():
    """A JPEG file."""
    file = io.BytesIO()
    with av.open(file, "w", "mjpeg") as output:
        stream = output.add_stream("mjpeg", 1)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        output.mux([*stream.encode(av.VideoFrame(64, 64, "yuvj420p")), *stream.encode(None)])
    return file.getvalue()


def cover_of_ogg():
    """A file of FFmpeg's for tags, which holds a large picture as Ogg carries it: in a comment of the header."""
    jpeg = picture() + bytes(150_000)
    block = struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">6I", 0, 64, 64, 24, 0, len(jpeg)) + jpeg
    return b";FFMETADATA1\nMETADATA_BLOCK_PICTURE=" + base64.b64encode(block).replace(b"=", b"\\=") + b"\n"


def opened(content):
    """A file, opened."""
    return open_recording(EncodedAudio(bytes(content)))


def heard(content):
    """A file opened, and all of it."""
    recording = opened(content)
    return recording, np.concatenate(list(recording.blocks(0, recording.samples)))


def kinds(recording):
    """Names of what a recording's warnings are about."""
    return {warning.kind.name for warning in recording.warnings}


def delay(samples, reference):
    """By how many samples one recording follows another, and how alike they are then."""
    count = min(len(samples), len(reference))
    size = 1 << (2 * count).bit_length()
    spectra = np.fft.rfft(samples[:count], size) * np.conj(np.fft.rfft(reference[:count], size))
    lag = int(np.argmax(np.fft.irfft(spectra, size)))
    lag -= size if lag > size // 2 else 0
    one, other = samples[max(0, lag) : count + min(0, lag)], reference[max(0, -lag) : count - max(0, lag)]
    return lag, float(np.corrcoef(one, other)[0, 1])


def pages(ogg):
    """The pages of an Ogg file."""
    found, at = [], 0
    while at < len(ogg):
        lacing = ogg[at + 27 : at + 27 + ogg[at + 26]]
        end = at + 27 + len(lacing) + sum(lacing)
        found.append(ogg[at:end])
        at = end
    return found


def sealed(page):
    """A page of Ogg with its checksum put right (RFC 3533: CRC of polynomial 04c11db7, nothing reflected)."""
    page = bytearray(page)
    page[22:26] = bytes(4)
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x104C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", register)
    return bytes(page)


def tag(size):
    """An ID3v2 tag of so many bytes behind its header."""
    return b"ID3\x03\x00\x00" + bytes(size >> 7 * place & 127 for place in (3, 2, 1, 0)) + bytes(size)
