"""What each feature lets through of music, measured, so that numbers find the onset detectors and the kick drums.

Choi et al. (2016, section 4.1) named features by listening to them. Here a clip's time and frequency are divided
into harmonic and percussive parts (Fitzgerald 2010) and into three bands, and of each feature's deconvolved picture it
is measured where its energy lies and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import librosa
import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from phonoscope_trainer.experiments.auralisation.many_features import ManyFeatures
from phonoscope_trainer.frontends.linear import LinearStftOptions

BAND_EDGES_HZ = (200.0, 2000.0)  # between low, mid and high
BANDS = ("low", "mid", "high")
PARTS = tuple(f"{kind}_{band}" for kind in ("harmonic", "percussive") for band in BANDS)
SILENT = 1e-12  # energy below which a feature has let nothing through


@dataclass(frozen=True, slots=True)
class Card:
    """One feature; energies are of its deconvolved pictures, means over the clips in which it answers."""

    layer: str
    feature: int
    answers: float  # share of the clips in which it lets anything through
    onset_correlation: float  # of its energy in each frame with the clip's onset strength
    harmonic_over_percussive_db: float  # energy in the harmonic part over that in the percussive part, less the clip's
    centre_hz: float  # mean frequency of its energy
    harmonic_low: float  # these six: shares of its energy
    harmonic_mid: float
    harmonic_high: float
    percussive_low: float
    percussive_mid: float
    percussive_high: float

    def harmonic(self, band: str) -> float:
        """Harmonic energy of a band, times the share of the band's energy that is harmonic: much of it, and pure."""
        return _pure(getattr(self, f"harmonic_{band}"), getattr(self, f"percussive_{band}"))

    def percussive(self, band: str) -> float:
        """Likewise, percussive: a low band alone does not make a kick drum."""
        return _pure(getattr(self, f"percussive_{band}"), getattr(self, f"harmonic_{band}"))


# What the papers call features, and the figure of a card that finds them, best first.
KINDS: Mapping[str, Callable[[Card], float]] = {
    "onset detector": lambda card: card.onset_correlation,
    "bass note": lambda card: card.harmonic("low"),
    "melody": lambda card: card.harmonic("mid"),
    "percussive eraser": lambda card: card.harmonic_over_percussive_db,
    "kick drum": lambda card: card.percussive("low"),
    "snare": lambda card: card.percussive("mid"),
    "cymbals": lambda card: card.percussive("high"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a clip itself is, to compare with."""

    onsets: NDArray[np.float64]  # [T] onset strength
    harmonic: NDArray[np.float64]  # [T, F] share of each bin's energy that is harmonic
    band: NDArray[np.int64]  # [F] 0 low, 1 mid, 2 high
    frequency_hz: NDArray[np.float64]  # [F]
    harmonic_db: float  # of the whole clip


def describe(picture: NDArray[np.float32], options: LinearStftOptions) -> Heard:
    """A clip's onsets, parts and bands, of its magnitudes `[T, F]`."""
    magnitude = picture.T.astype(np.float64)
    harmonic, percussive = librosa.decompose.hpss(magnitude, mask=True)
    decibels = librosa.amplitude_to_db(magnitude, ref=np.max)
    # `center` would shift the curve by half a frame of another length: these frames are centred already.
    onsets = librosa.onset.onset_strength(S=decibels, hop_length=options.hop_samples, center=False)
    frequency_hz = options.bin_hz * np.arange(len(magnitude), dtype=np.float64)
    energy = np.square(magnitude)
    return Heard(
        np.asarray(onsets, np.float64),
        np.asarray(harmonic.T, np.float64),
        np.digitize(frequency_hz, BAND_EDGES_HZ),
        frequency_hz,
        float(_decibels(np.sum(energy * harmonic), np.sum(energy * percussive))),
    )


def measure(pictures: NDArray[np.float32], clip: Heard) -> dict[str, NDArray[np.float64]]:
    """The figures of a card for each of `pictures` `[N, T, F]` of one clip; NaN where one is empty."""
    energy = np.square(pictures.astype(np.float64))
    total = energy.sum(axis=(1, 2))
    total[total < SILENT] = np.nan
    harmonic = energy * clip.harmonic
    shares = {}
    for kind, part in (("harmonic", harmonic), ("percussive", energy - harmonic)):
        for number, band in enumerate(BANDS):
            shares[f"{kind}_{band}"] = part[:, :, clip.band == number].sum(axis=(1, 2)) / total
    envelope = np.sqrt(energy.sum(axis=2))
    envelope = envelope - envelope.mean(axis=1, keepdims=True)
    onsets = clip.onsets - clip.onsets.mean()
    lengths = np.linalg.norm(envelope, axis=1) * np.linalg.norm(onsets)
    return shares | {
        "onset_correlation": envelope @ onsets / np.where(np.isnan(total), np.nan, np.maximum(lengths, SILENT)),
        "harmonic_over_percussive_db": _decibels(harmonic.sum(axis=(1, 2)), (energy - harmonic).sum(axis=(1, 2)))
        + np.where(np.isnan(total), np.nan, -clip.harmonic_db),
        "centre_hz": energy.sum(axis=1) @ clip.frequency_hz / total,
    }


def cards(network: ManyFeatures, pictures: Iterable[Tensor], features: int, options: LinearStftOptions) -> list[Card]:
    """A card for every feature of every layer, from what the network sees of some clips, `[T, F]` each."""
    measured: dict[str, list[dict[str, NDArray[np.float64]]]] = {layer: [] for layer in network.layers}
    for picture in pictures:
        clip = describe(picture.numpy(), options)
        for layer, found in network.of(picture, range(features)):
            measured[layer].append(measure(found.numpy(), clip))
    return [
        _card(layer, feature, [{name: float(values[feature]) for name, values in clip.items()} for clip in clips])
        for layer, clips in measured.items()
        for feature in range(features)
    ]


def found_by_numbers(every: Iterable[Card], best: int = 5) -> dict[str, list[Card]]:
    """For each kind of feature that the papers name, the cards that fit it best, best first."""
    answering = [card for card in every if card.answers > 0.5]
    return {kind: sorted(answering, key=figure, reverse=True)[:best] for kind, figure in KINDS.items()}


def _card(layer: str, feature: int, clips: list[Mapping[str, float]]) -> Card:
    answered = [clip for clip in clips if np.isfinite(clip["centre_hz"])]
    names = clips[0].keys()
    means = {name: float(np.mean([clip[name] for clip in answered])) if answered else 0.0 for name in names}
    return Card(layer, feature, len(answered) / len(clips), **{name: round(value, 4) for name, value in means.items()})


def _pure(share: float, rest: float) -> float:
    return share * share / max(share + rest, SILENT)


def _decibels(energy: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(energy, SILENT) / np.maximum(reference, SILENT)))
