"""Results made of seeded noise, for tests of what is done with them."""

from dataclasses import replace

import numpy as np
from phonoscope_client import (
    Auralisation,
    Axes,
    BundleReference,
    Curve,
    Explanation,
    HeardFeature,
    Inversions,
    LayerInversion,
    Maximisation,
    MaximisedExample,
    Share,
    Trust,
    Waveform,
)

FRAMES, BANDS = 115, 80
TRUST = Trust(
    relative_area=0.3,
    label_kept=True,
    masked_probability=0.812,
    removed_probability=0.213,
    removal_flips_label=True,
    control_probabilities=(0.302, 0.281, 0.117),
    controls_that_keep_label=0,
    control_seed=7,
    reconstruction_error=0.83,
    reconstruction_percentile=0.64,
    out_of_distribution=False,
    heard_probability=0.701,
    heard_label_kept=True,
    heard_control_probabilities=(0.401, 0.383, 0.532),
    heard_control_label_kept=False,
)
EXCHANGED_TRUST = replace(
    TRUST,
    control_probabilities=(),
    evidence="full",
    carried=Share(3, 3, (0.911, 0.872, 0.743)),
    silhouette=Share(3, 0, (0.121, 0.042, 0.233)),
    removed=Share(2, 0, (0.152, 0.271)),
    controls={"random": Share(1, 0, (0.314,)), "shifted": Share(1, 0, (0.225,)), "other": Share(1, 0, (0.336,))},
    carried_over_silhouette=1.0,
    carried_heard_probability=0.887,
    silhouette_heard_probability=0.098,
)


def mel_centres_hz(bands: int = BANDS) -> np.ndarray:
    """Centres equally spaced on the mel scale from 27.5 to 8000 Hz, both ends left out."""
    ends = 1127 * np.log1p(np.array([27.5, 8000]) / 700)
    return (700 * np.expm1(np.linspace(*ends, bands + 2)[1:-1] / 1127)).astype(np.float32)


def explanation(*, listen: bool = True, **changes) -> Explanation:
    """An explanation with a region of blocks, whose other fields may be changed."""
    noise = np.random.default_rng(7)
    mask = np.zeros((FRAMES, BANDS), bool)
    mask[20:60, 10:40] = mask[70:90, 50:75] = True
    excerpt = noise.normal(size=(FRAMES, BANDS)).astype(np.float32)
    sound = Waveform((0.3 * noise.normal(size=36934)).clip(-1, 1).astype(np.float32), 22050)
    made = Explanation(
        bundle=BundleReference("noise-1", "ab" * 32),
        at_s=30.0,
        label="vocal",
        probability=0.934,
        threshold=0.47,
        rule="masker",
        alpha=0.6,
        masking="m2",
        axes=Axes(30.0 - 57 / 70, 70.0, mel_centres_hz()),
        log_mel=2 * excerpt - 5,
        relevance=noise.uniform(size=(FRAMES, BANDS)).astype(np.float32),
        mask=mask,
        inverted=noise.normal(size=(FRAMES, BANDS)).astype(np.float32),
        explanation=excerpt * mask,
        trust=replace(TRUST, relative_area=float(mask.mean())),
        original_audio=sound if listen else None,
        explanation_audio=Waveform(0.5 * sound.samples, 22050) if listen else None,
        outside_db=25.0 if listen else None,
    )
    return replace(made, **changes)


def exchanged(**changes) -> Explanation:
    """An explanation whose region was exchanged with other music and passed every trial, some of its trust changed."""
    made = explanation()
    sound = made.original_audio
    assert sound is not None
    trust = replace(EXCHANGED_TRUST, relative_area=made.trust.relative_area, **changes)
    carried, silhouette = (Waveform(gain * sound.samples, 22050) for gain in (0.4, 0.3))
    return replace(made, trust=trust, carried_audio=carried, silhouette_audio=silhouette)


def inversions(*, listen: bool = True, **changes) -> Inversions:
    """Inversions that lose more from layer to layer, whose fields may be changed; each sound is a constant."""
    excerpt = np.random.default_rng(9).normal(size=(FRAMES, BANDS)).astype(np.float32)

    def sound(level: float) -> Waveform | None:
        return Waveform(np.full(100, level, np.float32), 22050) if listen else None

    made = Inversions(
        bundle=BundleReference("noise-1", "ab" * 32),
        at_s=30.0,
        probability=0.934,
        threshold=0.47,
        axes=Axes(30.0 - 57 / 70, 70.0, mel_centres_hz()),
        log_mel=2 * excerpt - 5,
        standardised=excerpt,
        layers={
            "conv1": LayerInversion(excerpt, 0.05, 0.25, False, sound(0.3)),
            "conv5": LayerInversion(excerpt / 2, 0.4, 0.5, False, sound(0.2)),
            "fc8": LayerInversion(0 * excerpt, 0.8, 0.995, True, sound(0.1)),
        },
        original_audio=sound(0.5),
        log_mel_audio=sound(0.4),
        seconds=0.05,
    )
    return replace(made, **changes)


def auralisation(*, listen: bool = True, **changes) -> Auralisation:
    """Two features that hear half of a clip each and one that hears nothing, whose fields may be changed."""
    given = np.random.default_rng(11).uniform(0.1, 2, size=(173, 257)).astype(np.float32)
    late = np.arange(173)[:, None] >= 86

    def feature(number: int, share: np.ndarray | float, level: float) -> HeardFeature:
        sound = Waveform(np.full(100, level, np.float32), 11025) if listen else None
        return HeardFeature(number, 2.0 * level, (given * share).astype(np.float32), sound)

    made = Auralisation(
        bundle=BundleReference("noise-1", "ab" * 32),
        at_s=30.0,
        network="tagger",
        layer="conv3",
        resynthesis="phase",
        axes=Axes(28.0, 11025 / 256, np.arange(257, dtype=np.float32) * 11025 / 512),
        given=given,
        labels=np.array(["ballad", "dance", "hip-hop"]),
        class_probability=np.array([0.7, 0.2, 0.1], np.float32),
        features={
            "conv3-7": feature(7, late, 0.4),
            "conv3-1": feature(1, -1.0 * ~late, 0.1),
            "conv3-38": feature(38, 0.0, 0.0),
        },
        original_audio=Waveform(np.full(100, 0.2, np.float32), 11025) if listen else None,
        seconds=0.05,
    )
    return replace(made, **changes)


def curve(probability: np.ndarray | None = None, *, frames_per_second: float = 70.0) -> Curve:
    """A curve with the given values, or of seeded noise."""
    if probability is None:
        probability = np.random.default_rng(8).uniform(size=3001)
    return Curve(BundleReference("noise-1", "ab" * 32), probability.astype(np.float32), frames_per_second, 0.5)


def maximisation(*, listen: bool = True, **changes) -> Maximisation:
    """Two examples that became louder and more vocal, whose fields may be changed; each sound is a constant."""
    noise = np.random.default_rng(11).normal(-6, 1, size=(2, FRAMES, BANDS)).astype(np.float32)

    def sound(level: float) -> Waveform | None:
        return Waveform(np.full(100, level, np.float32), 22050) if listen else None

    made = Maximisation(
        bundle=BundleReference("noise-1", "ab" * 32),
        response="output",
        direction="maximise",
        seed=3,
        steps=100,
        learning_rate=0.01,
        prior_weight=0.001,
        threshold=0.5,
        axes=Axes(0.0, 70.0, mel_centres_hz()),
        examples={
            "1": MaximisedExample(-0.5, 3.5, -60.0, -62.0, 0.38, 0.97, noise[0], noise[0] + 1, sound(2.0), sound(0.5)),
            "2": MaximisedExample(0.5, 2.5, -61.0, -63.0, 0.62, 0.92, noise[1], noise[1] + 1, sound(0.1), sound(0.0)),
        },
    )
    return replace(made, **changes)
