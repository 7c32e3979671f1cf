"""What features hear: the tagger of a bundle, and the deconvnets of tagger and detector (Choi et al. 2015 and 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import soxr
import torch
from torch import Tensor

from phonoscope_trainer.corpora.rendered.store import LICENCE as RENDERED_LICENCE
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.explanation import golden_excerpts
from phonoscope_trainer.export.part import Family, Part, TrainedDetector
from phonoscope_trainer.export.tagging import tagger_listener
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft
from phonoscope_trainer.graphs.description import EXCERPT_SAMPLES, Ensemble, Step, TensorSpec, maps, numbers, same
from phonoscope_trainer.graphs.feature_pictures import (
    FEATURES,
    HEARD,
    STRONGEST_ONLY,
    detector_pictures_graph,
    tagger_pictures_graph,
)
from phonoscope_trainer.graphs.resound import PHASE, RESYNTHESIS, detector_sound_graph, tagger_sound_graph
from phonoscope_trainer.graphs.tagger import tagger_graph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.networks.inverter import parameter_count
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.tagger.training import TaggerOptions, load_tagger
from phonoscope_trainer.repository.manifest import TrainingData

CHOICE = (*FEATURES, STRONGEST_ONLY, RESYNTHESIS)
GOLDEN_LAYER = 2  # conv3 of the tagger, conv4 of the detector


def auralisation(runs: Sequence[Path], detector: TrainedDetector) -> Part:
    """The tagger of a run, and the deconvnets.

    Raises:
        CheckpointError: the run cannot be used.
        ExportError: there are several.
    """
    if len(runs) > 1:
        raise ExportError(f"a bundle has one tagger; {len(runs)} runs were given")
    network, options = load_tagger(runs[0])
    part = auralisation_part(network, options.labels, detector, tuple(checkpoint.commands(runs[0])))
    return replace(part, training_data=(_training_data(options),))


def auralisation_part(
    tagger: Tagger, labels: Sequence[str], detector: TrainedDetector, commands: tuple[str, ...] = ()
) -> Part:
    """Graphs and ensembles that make features of the tagger, and of the detector, heard.

    Args:
        tagger: folded, in evaluation mode.
        labels: its classes.
        detector: the other network whose features can be heard.
        commands: that trained the tagger.
    """
    return Part(
        (
            tagger_frontend_graph(LinearStft()),
            tagger_graph(tagger, tagger_listener(labels)),
            tagger_pictures_graph(tagger, labels),
            tagger_sound_graph(LINEAR_STFT),
            detector_pictures_graph(detector.network),
            detector_sound_graph(detector.frontend.options, detector.standardise),
        ),
        (auralise(len(labels)), _auralise_detector()),
        {
            "auralise": {"samples": golden_clip(detector), **_golden_choice()},
            "auralise_detector": {"samples": golden_excerpts(detector)[:1], **_golden_choice()},
        },
        parameters={"tagger": parameter_count(tagger)},
        commands=commands,
    )


AURALISATION = Family("the tagger whose features, and the detector's, can be heard", auralisation)


def auralise(classes: int) -> Ensemble:
    """Choi et al. 2016, listing 1: one clip, and what some features of the tagger hear of it."""
    shape = (LINEAR_STFT.clip_frames, LINEAR_STFT.bins)
    return Ensemble(
        "auralise",
        (TensorSpec("samples", (LINEAR_STFT.clip_samples,)), *CHOICE),
        (
            TensorSpec("magnitude", shape),
            TensorSpec("class_probability", (classes,)),
            TensorSpec("heard", (-1, *shape)),
            *HEARD,
            TensorSpec("audio", (-1, LINEAR_STFT.clip_samples)),
        ),
        (
            Step("tagger_frontend", same("samples"), same("spectrum", "magnitude")),
            Step("tagger", {"excerpt": "magnitude"}, {"probability": "class_probability"}),
            Step(
                "deconvnet_tagger",
                {"picture": "magnitude", **same("layer", "feature", "strongest_only")},
                same("heard", "chosen", "strength"),
            ),
            Step("resound_tagger", same("spectrum", "heard", "resynthesis"), same("audio")),
        ),
        maximum_batch=1,
    )


def _auralise_detector() -> Ensemble:
    """The same of the detector, whose mel pictures are brought back to the transform."""
    shape = (EXCERPT_SAMPLES,)
    return Ensemble(
        "auralise_detector",
        (TensorSpec("samples", shape), *CHOICE),
        (
            *maps("standardised"),
            *numbers("probability"),
            TensorSpec("heard", (-1, *maps("heard")[0].dims)),
            *HEARD,
            TensorSpec("audio", (-1, *shape)),
        ),
        (
            Step("frontend", same("samples"), same("standardised")),
            Step("detector", {"excerpt": "standardised"}, same("probability")),
            Step(
                "deconvnet_detector",
                {"picture": "standardised", **same("layer", "feature", "strongest_only")},
                same("heard", "chosen", "strength"),
            ),
            Step("resound_detector", same("samples", "standardised", "heard", "resynthesis"), same("audio")),
        ),
        maximum_batch=1,
    )


def golden_clip(detector: TrainedDetector) -> Tensor:
    """`[1, N]` the tagger's clip from the start of the golden sound, silence after its end."""
    rates = detector.frontend.options.sample_rate_hz, LINEAR_STFT.sample_rate_hz
    clip = torch.from_numpy(soxr.resample(detector.golden.numpy(), *rates))[: LINEAR_STFT.clip_samples]
    return torch.nn.functional.pad(clip, (0, LINEAR_STFT.clip_samples - len(clip))).unsqueeze(0)


def _golden_choice() -> dict[str, Tensor]:
    """The strongest feature of one layer, whole, with the recording's phase."""
    numbers_of = {"layer": GOLDEN_LAYER, "feature": -1, "strongest_only": 0, "resynthesis": PHASE}
    return {name: torch.tensor([[number]], dtype=torch.int32) for name, number in numbers_of.items()}


def _training_data(options: TaggerOptions) -> TrainingData:
    if options.songs:
        return TrainingData(Path(options.songs).name, "as its owner says", options.music)
    return TrainingData("genres", RENDERED_LICENCE, options.music)
