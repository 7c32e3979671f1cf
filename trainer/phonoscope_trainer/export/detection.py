"""The front-end and the detector: what every bundle holds."""

from __future__ import annotations

import torch

from phonoscope_trainer.export.part import Part, TrainedDetector
from phonoscope_trainer.graphs.description import SILENCE, Ensemble, Step, TensorSpec, same
from phonoscope_trainer.graphs.detector import detector_graph, track_graph
from phonoscope_trainer.graphs.frontend import frontend_graph
from phonoscope_trainer.networks.inverter import parameter_count


def detection(detector: TrainedDetector) -> Part:
    """Graphs `frontend`, `detector` and `track_detector`, and the ensemble `predict`."""
    frontend, standardise, network = detector.frontend, detector.standardise, detector.network
    silence = standardise(frontend.log_mel(torch.zeros(1, 1, frontend.options.bins)))
    around = torch.full((1, 1), 57, dtype=torch.int32)
    return Part(
        (frontend_graph(frontend, standardise), detector_graph(network), track_graph(network, silence)),
        (_predict(),),
        {"predict": {"samples": detector.golden.unsqueeze(0), "silence_before": around, "silence_after": around}},
        parameters={"detector": parameter_count(network)},
    )


def _predict() -> Ensemble:
    """A track, or a piece of one, to the probability at each of its frames."""
    return Ensemble(
        "predict",
        (TensorSpec("samples", (-1,)), *SILENCE),
        (TensorSpec("probability", (-1,)),),
        (
            Step("frontend", same("samples"), same("standardised")),
            Step("track_detector", same("standardised", *(spec.name for spec in SILENCE)), same("probability")),
        ),
        maximum_batch=1,
    )
