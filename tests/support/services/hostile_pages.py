"""Every page, of answers in which whatever can be called something is called a piece of markup."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from phonoscope_client.reports.auralisation import auralisation_page
from phonoscope_client.reports.curve import curve_page
from phonoscope_client.reports.explanation import explanation_page
from phonoscope_client.reports.inversion import inversion_page
from phonoscope_client.reports.maximisation import maximisation_page
from phonoscope_client.reports.story import FoundMoment, FoundUnit, story_page
from phonoscope_client.reports.track.page import track_page
from phonoscope_client.results.parts import BundleReference, SoundWarning, wav
from phonoscope_client.results.segments import Segment

from support.services.client_results import auralisation, curve, explanation, inversions, maximisation
from support.services.track_results import summary as track_summary
from support.services.track_results import track

NAME = "<img src=x onerror=alert(1)>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"
BUNDLE = BundleReference(NAME, NAME)
WARNINGS = (SoundWarning("other", 0.0, 1.0, NAME),)


def _explanation() -> str:
    return explanation_page(
        explanation(bundle=BUNDLE, warnings=WARNINGS, rule=NAME, label=NAME, masking=NAME), song=NAME
    )


def _inversion() -> str:
    made = inversions(bundle=BUNDLE, warnings=WARNINGS)
    return inversion_page(replace(made, layers={NAME: made.layers["fc8"], "fc7": made.layers["conv1"]}), song=NAME)


def _auralisation() -> str:
    made = auralisation(bundle=BUNDLE, warnings=WARNINGS, layer=NAME, labels=np.array([NAME, "dance", "hip-hop"]))
    features = {NAME: made.features["conv3-38"], "conv3-7": made.features["conv3-7"]}
    return auralisation_page(replace(made, features=features), song=NAME)


def _maximisation() -> str:
    made = maximisation(bundle=BUNDLE, response=NAME, direction=NAME)
    return maximisation_page(replace(made, examples={NAME: made.examples["1"]}))


def _story() -> str:
    told = explanation(bundle=BUNDLE, warnings=WARNINGS, rule=NAME, label=NAME, masking=NAME)
    found = maximisation(bundle=BUNDLE, response=NAME)
    return story_page(NAME, NAME, [FoundMoment(NAME, told, NAME, {})], [FoundUnit(NAME, found, None)])


def _track(song: Path) -> str:
    made = track()
    explanations = tuple(replace(each, label=NAME) for each in made.explanations)
    said = track_summary(
        warnings=WARNINGS,
        segments=(Segment(0.0, 30.0, NAME, 0.9),),
        relevance=(replace(made.summary.relevance[0], label=NAME),),
    )
    begun = replace(made.begun, bundle=BUNDLE, rule=NAME, masking=NAME)
    return track_page(replace(made, begun=begun, summary=said, explanations=explanations), song=song)


def hostile_pages(folder: Path) -> dict[str, str]:
    """Name → page.

    Args:
        folder: receives the recording that one of them plays.
    """
    song = folder / f"{NAME}.wav"
    song.write_bytes(wav(np.sin(np.arange(8000, dtype=np.float32) / 9), 8000))
    return {
        "explanation": _explanation(),
        "curve": curve_page(replace(curve(), bundle=BUNDLE, warnings=WARNINGS), song=song),
        "inversion": _inversion(),
        "auralisation": _auralisation(),
        "maximisation": _maximisation(),
        "story": _story(),
        "track": _track(song),
    }
