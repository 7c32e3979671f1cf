"""JAMS (Humphrey et al. 2014), in which music research keeps annotations; by the library of that name.

It is an extra, `pip install 'phonoscope[jams]'`: it brings pandas and SciPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from phonoscope_client.errors import MissingExtraError
from phonoscope_client.results.track import Track


def must_be_installed() -> ModuleType:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("jams")
    except ModuleNotFoundError as error:
        message = f"JAMS files need the extra: pip install 'phonoscope[jams]' (there is no {error.name})"
        raise MissingExtraError(message) from error


def files(track: Track, song: str) -> Mapping[str, str]:
    """`track.jams`: segments with their confidence, and a tag for each region, whose frequencies are in its sandbox.

    Raises:
        MissingExtraError: the library is not installed.
    """
    library = must_be_installed()
    document = library.JAMS()
    document.file_metadata.title = song
    document.file_metadata.duration = track.end_s
    segments = _annotation(library, track, "segment_open", "segments of one answer")
    for segment in track.summary.segments:
        segments.append(segment.start_s, segment.end_s - segment.start_s, segment.label, segment.mean_confidence)
    regions = _annotation(library, track, "tag_open", "what each answer rests on")
    regions.sandbox.regions = []
    for explanation in track.explanations:
        said = explanation.to_json(track.begun)
        if (box := said["region"]) is not None:
            regions.append(box["start_s"], box["end_s"] - box["start_s"], explanation.label)
            told = {name: said[name] for name in ("at_s", "probability")}
            regions.sandbox.regions.append({**box, **told, "holds": explanation.trust.holds})
    document.annotations.extend([segments, regions])
    return {"track.jams": f"{document.dumps(indent=2)}\n"}


def _annotation(library: ModuleType, track: Track, namespace: str, what: str) -> Any:  # noqa: ANN401 - it ships no types
    bundle = track.begun.bundle
    made = library.Annotation(namespace=namespace, time=0, duration=track.end_s)
    made.annotation_metadata = library.AnnotationMetadata(
        annotation_tools="Phonoscope", annotator={"bundle": bundle.name, "digest": bundle.digest}
    )
    made.annotation_metadata.data_source = "program"
    made.sandbox.what = what
    return made
