"""What layers keep of a moment, and what features of a layer hear: pictures at once, sounds when they are wanted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from phonoscope_client.aio import Client
from phonoscope_client.results.auralisation import Auralisation
from phonoscope_client.results.bundle import Listener
from phonoscope_client.results.inversion import Inversions
from phonoscope_client.results.parts import Floats, Waveform, wav
from phonoscope_client.studio.moments.pictures import log_mel_picture, picture
from phonoscope_client.studio.moments.why import excerpt_s
from phonoscope_client.studio.shelf.songs import Song

_FEATURE_RANGE_DB = 50.0  # of a magnitude that a feature hears, below its largest
_CLIP_S = 4.0  # the longest that any network with features hears


@dataclass
class Heard:
    """An answer that is kept: where it was asked, and its sounds once they were made."""

    song: Song
    at_s: float
    listener: Listener
    layer: str = ""
    features: tuple[int, ...] = ()
    sounds: dict[str, bytes] = field(default_factory=dict)
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


async def inversions(client: Client, heard: Heard, *, listen: bool, layers: tuple[str, ...] = ()) -> Inversions:
    """What every layer keeps."""
    audio, start_s = await asyncio.to_thread(heard.song.sound.around, heard.at_s, excerpt_s(heard.listener))
    return await client.invert_layers(
        audio, heard.at_s - start_s, layers=layers, listen=listen, listener=heard.listener.name
    )


def inversions_json(number: str, heard: Heard, found: Inversions) -> dict[str, Any]:
    """What the page is told of layers: pictures on the scale of the input, in standard deviations."""
    reach = float(np.quantile(np.abs(found.standardised), 0.995)) or 1.0
    return {
        "id": number,
        "at_s": heard.at_s,
        "input": picture(found.standardised, -reach, reach),
        "sound": f"/api/inversions/{number}/sounds/original",
        "log_mel": log_mel_picture(found.log_mel),
        "frames_per_second": found.axes.frames_per_second,
        "layers": [
            {
                "name": name,
                "picture": picture(each.inverted, -reach, reach),
                "distance": each.reconstruction_error,
                "percentile": each.reconstruction_percentile,
                "out_of_distribution": each.out_of_distribution,
                "sound": f"/api/inversions/{number}/sounds/{name}",
            }
            for name, each in found.layers.items()
        ],
    }


async def inversion_sound(client: Client, heard: Heard, name: str) -> bytes | None:
    """How a layer's inversion sounds, or the "original"; None where there is no such layer."""
    async with heard.making:
        if not heard.sounds:
            heard.sounds = _encoded((await inversions(client, heard, listen=True)).sounds)
    return heard.sounds.get(name)


async def auralisation(client: Client, heard: Heard, *, strongest: int | None, listen: bool) -> Auralisation:
    """What features of a layer hear, strongest first; the ones of `heard`, where no number of them is given."""
    span_s = max(_CLIP_S, excerpt_s(heard.listener))
    audio, start_s = await asyncio.to_thread(heard.song.sound.around, heard.at_s, span_s)
    return await client.auralise(
        audio,
        heard.at_s - start_s,
        heard.layer,
        features=() if strongest else heard.features,
        strongest=strongest,
        listen=listen,
        listener=heard.listener.name,
    )


def auralisation_json(number: str, heard: Heard, found: Auralisation) -> dict[str, Any]:
    """What the page is told of features, each picture on a scale of its own."""
    return {
        "id": number,
        "at_s": heard.at_s,
        "layer": heard.layer,
        "frames_per_second": found.axes.frames_per_second,
        "input": _shown(found.given, found.network),
        "sound": f"/api/auralisations/{number}/sounds/original",
        "features": [
            {
                "feature": each.feature,
                "activation": each.strength,
                "picture": _shown(each.heard, found.network),
                "sound": f"/api/auralisations/{number}/sounds/{each.feature}" if each.heard.any() else None,
            }
            for each in found.features.values()
        ],
    }


async def feature_sound(client: Client, heard: Heard, name: str) -> bytes | None:
    """How a feature sounds, by its number, or the clip, "original"; None where it was not asked for."""
    async with heard.making:
        if not heard.sounds:
            found = await auralisation(client, heard, strongest=None, listen=True)
            numbers = {full: str(each.feature) for full, each in found.features.items()}
            heard.sounds = _encoded({numbers.get(full, full): each for full, each in found.sounds.items()}, alike=False)
    return heard.sounds.get(name)


def _shown(values: Floats, network: str) -> dict[str, Any]:
    largest = float(np.abs(values).max()) or 1.0
    if network != "tagger":  # standardised, on either side of 0
        return picture(values, -largest, largest)
    floor = largest * 10 ** (-_FEATURE_RANGE_DB / 20)
    return picture(np.log(np.maximum(np.abs(values), floor)), float(np.log(floor)), float(np.log(largest)))


def _encoded(sounds: dict[str, Waveform], *, alike: bool = True) -> dict[str, bytes]:
    """Sounds as WAV within full scale: by one gain for all, or each made as loud as it can be."""
    peaks = {name: float(np.abs(each.samples).max(initial=0)) for name, each in sounds.items()}
    gain = 1 / max([1.0, *peaks.values()])
    return {
        name: wav(each.samples, each.sample_rate_hz, gain=gain if alike else 0.9 / max(peaks[name], 1e-6))
        for name, each in sounds.items()
    }
