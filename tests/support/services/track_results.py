"""A track made of seeded noise, for tests of what is done with tracks."""

from dataclasses import replace

import numpy as np
from phonoscope_client import BundleReference, Doubt, Share, Waveform
from phonoscope_client.results.track import (
    LabelMap,
    RankedMoment,
    Segment,
    SegmentTrust,
    Track,
    TrackBegun,
    TrackExplanation,
    TrackSummary,
    TrackTrust,
)

from support.services.client_results import BANDS, FRAMES, mel_centres_hz

RATE = 70.0
DURATION_S = 30.0
TRUSTS = (
    TrackTrust(0.3, 0.8, 0.6, False, 7, Doubt(0.1, 0.08, 0.02, 0.4), 0.9, True, holds=True),
    TrackTrust(
        *(0.3, 0.9, 0.7, False, 7, Doubt(0.4, 0.3, 0.1, 0.9), 0.7, True),
        carried=Share(1, 0, (0.2,)),
        silhouette=Share(1, 1, (0.7,)),
        removed=Share(1, 1, (0.8,)),
        controls={"random": Share(1, 0, (0.1,))},
        carried_over_silhouette=-1.0,
        holds=False,
    ),
    TrackTrust(0.3, 0.8, 0.6, True, 7),
)


def begun(**changes) -> TrackBegun:
    """What was done, of which some may be changed."""
    made = TrackBegun(
        bundle=BundleReference("noise-1", "ab" * 32),
        frames_per_second=RATE,
        band_centre_hz=mel_centres_hz(),
        excerpt_frames=FRAMES,
        threshold=0.5,
        decision_threshold=0.45,
        rule="masker",
        trust_level="full",
        masking="m1",
        duration_s=DURATION_S,
        median_filter_s=0.8,
        minimum_s=0.3,
        outside_db=25.0,
    )
    return replace(made, **changes)


def explanation(at_s: float, label: str, trust: TrackTrust, *, listen: bool = True, **changes) -> TrackExplanation:
    """One explanation along the track: a region of two blocks, over noise."""
    noise = np.random.default_rng(round(1000 * at_s))
    mask = np.zeros((FRAMES, BANDS), bool)
    mask[20:60, 10:40] = mask[70:90, 50:75] = True
    sound = (0.2 * noise.normal(size=36934)).clip(-1, 1).astype(np.float32)
    made = TrackExplanation(
        at_s=at_s,
        label=label,
        probability=0.9 if label == "vocal" else 0.2,
        start_s=at_s - FRAMES // 2 / RATE,
        mask=mask,
        alpha=0.6,
        trust=trust,
        log_mel=noise.normal(-5, 2, (FRAMES, BANDS)).astype(np.float32),
        relevance=noise.uniform(size=(FRAMES, BANDS)).astype(np.float32),
        original_audio=Waveform(sound, 22050) if listen else None,
        explanation_audio=Waveform(0.5 * sound, 22050) if listen else None,
    )
    return replace(made, **changes)


def summary(**changes) -> TrackSummary:
    """What the track comes to, of which some may be changed."""
    mean = np.random.default_rng(3).uniform(size=(FRAMES, BANDS)).astype(np.float32)
    made = TrackSummary(
        complete=True,
        heard_until_s=DURATION_S,
        frames=round(DURATION_S * RATE),
        segments=(
            Segment(0.0, 9.5, "instrumental", 0.81, SegmentTrust(1, 1, 0, 0.4)),
            Segment(9.5, 20.25, "vocal", 0.93, SegmentTrust(1, 1, 1, 0.1)),
            Segment(20.25, 30.0, "instrumental", 0.77, SegmentTrust(1, 0, 0, None)),
        ),
        relevance=(LabelMap("vocal", 1, mean), LabelMap("instrumental", 2, 1 - mean)),
        explained=3,
        tried=2,
        held=1,
        share_held=0.5,
        most_trustworthy=(RankedMoment(15.0, "vocal", True, 0.1), RankedMoment(5.0, "instrumental", False, 0.4)),
        least_trustworthy=(RankedMoment(25.0, "instrumental", None, None),),
        warnings=(),
        seconds=0.25,
    )
    return replace(made, **changes)


def track(*, listen: bool = True, **changes) -> Track:
    """Half a minute with singing in its middle and an explanation in each third, whose fields may be changed."""
    frames = round(DURATION_S * RATE)
    noise = np.random.default_rng(5)
    time_s = np.arange(frames) / RATE
    sung = (time_s >= 9.5) & (time_s < 20.25)
    made = Track(
        begun=begun(),
        first_frame=0,
        probability=np.clip(0.2 + 0.6 * sung + 0.1 * noise.normal(size=frames), 0, 1).astype(np.float32),
        log_mel=(2 * noise.normal(size=(frames, BANDS)) - 5 + 2 * sung[:, None]).astype(np.float32),
        explanations=(
            explanation(5.0, "instrumental", TRUSTS[1], listen=listen),
            explanation(15.0, "vocal", TRUSTS[0], listen=listen),
            explanation(25.0, "instrumental", TRUSTS[2], listen=listen),
        ),
        summary=summary(),
    )
    return replace(made, **changes)
