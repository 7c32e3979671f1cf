"""Door 3: an ONNX graph that takes the waveform. Its picture is an STFT, and what is masked there is heard masked.

The network of such a listener takes two things: the magnitudes that are left, and the excerpt's phase, which they get
on the way back to sound; so its front-end gives a phase, and all that asks the network again is given it. Nothing of it
can be opened, so the one rule is `occlusion`, and there is no exchange with other music: a host's magnitudes would need
the host's own phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.export.adoption.adopt import AdoptionOptions, Report
from phonoscope_trainer.export.adoption.bundle import golden_question, golden_sound
from phonoscope_trainer.export.adoption.verification import verified
from phonoscope_trainer.export.bundle import write_bundle
from phonoscope_trainer.export.explanation_ensembles import answers, evidence, explained_by, heard, hears, masked
from phonoscope_trainer.export.part import Part
from phonoscope_trainer.graphs.answered_label import asked_label_graph
from phonoscope_trainer.graphs.description import Ensemble, Graph, Step, TensorSpec, numbers
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.graphs.mask import mask_graph
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.graphs.rules import LISTENER_ALPHAS
from phonoscope_trainer.graphs.tagger import Given
from phonoscope_trainer.graphs.waveform import WaveformFrontend, WaveformHead, WaveformListen, WaveformOptions
from phonoscope_trainer.networks.listener import LOG_ODDS, Decision
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.foreign import contract_network, read_foreign
from phonoscope_trainer.repository.models import replacing
from phonoscope_trainer.repository.occlusion import occlusion_graph

RULE = "occlusion"


@dataclass(frozen=True, slots=True)
class WaveformListener:
    """What is said of the network."""

    name: str
    labels: tuple[str, ...]
    decision: Decision
    threshold: float
    output: str = ""
    samples: int = 0  # of its input, where that leaves it free
    sample_rate_hz: int = 22_050
    probabilities: bool | None = None  # None: as its last operator says

    @property
    def thresholds(self) -> tuple[float, ...]:
        """As the manifest has them."""
        return (self.threshold,) * {"binary": 1, "multi-class": 0, "multi-label": len(self.labels)}[self.decision]


def adopt_waveform(path: Path, said: WaveformListener, options: AdoptionOptions) -> Report:
    """Write the bundle of a network on sound in place of what is at `out`, and check it against its golden vectors.

    Raises:
        ExportError: see `read_foreign`; or the network does not answer sound of this length with these labels.
        OptionsError: its input leaves its length free, and nobody says it.
    """
    foreign = read_foreign(path, said.output)
    lengths = [size for size in foreign.shape if size != 1]
    samples = (lengths[0] if lengths else 0) or said.samples
    if len(lengths) > 1 or not samples:
        raise OptionsError(f"{path}: its input is [B, {', '.join(map(str, foreign.shape))}]: say --samples")
    channel = 0 if len(foreign.shape) == 1 else 1 if foreign.shape[0] == 1 else 2
    waveform = WaveformOptions(samples, said.sample_rate_hz)
    listener = Listener(
        said.name,
        network=said.name,
        frontend="frontend",
        picture=waveform.picture,
        samples=samples,
        answers=1 if said.decision == "binary" else len(said.labels),
    )
    phase = TensorSpec("phase", (2, *waveform.picture))
    given = {"excerpt": torch.zeros(2, *waveform.picture), phase.name: torch.zeros(2, *phase.dims)}
    model, _ = contract_network(
        said.name,
        foreign,
        WaveformHead(waveform, channel),
        given,
        said.decision,
        probabilities=foreign.gives_probabilities if said.probabilities is None else said.probabilities,
    )
    network = Graph(
        said.name,
        ReadyMade(model),
        (*listener.maps("excerpt"), phase),
        listener.probabilities(LOG_ODDS, "probability"),
        tuple(given.values()),
    )
    _require_answers(network, listener)
    rule = occlusion_graph(
        RULE,
        model,
        waveform.picture,
        torch.zeros(1, 1, waveform.bins),  # silence: other music would need its own phase
        options.occlusion,
        answers=listener.answers,
        beside=phase,
    )
    part = _part(said, listener, waveform, (network, rule), phase)
    facts = bundle.Facts(
        options.name, said.threshold if said.decision == "binary" else None, {}, options.training_data, options.command
    )
    with replacing(options.out) as root:
        digest = write_bundle(root, [part], facts)
    missing = {
        "masker": "there are no layers to decode it from",
        "gradient": "the network takes sound, and cannot be opened",
        "exchange": "other music has another phase; regions are kept and removed with silence around them",
    }
    return Report(digest, (RULE,), missing, verified(options.out), exchanges=False)


def _frontend_graph(listener: Listener, waveform: WaveformOptions, phase: TensorSpec) -> Graph:
    """The transform; its parameters tell serving what a frame is."""
    bin_hz = np.linspace(0, waveform.sample_rate_hz / 2, waveform.bins)
    return Graph(
        "frontend",
        WaveformFrontend(waveform),
        (listener.sound("samples"),),
        (*listener.maps("log_mel", "standardised"), phase),
        (torch.zeros(2, listener.samples),),
        parameters={
            "sample_rate_hz": str(waveform.sample_rate_hz),
            "frame_samples": str(waveform.frame_samples),
            "hop_samples": str(waveform.hop_samples),
            "excerpt_frames": str(waveform.frames),
            "excerpt_samples": str(waveform.samples),
            "band_centre_hz": ",".join(f"{hz:.3f}" for hz in bin_hz),
        },
    )


def _part(
    said: WaveformListener, listener: Listener, waveform: WaveformOptions, asked: tuple[Graph, Graph], phase: TensorSpec
) -> Part:
    (network, rule), sound = asked, listener.sound("samples")
    frontend = _frontend_graph(listener, waveform, phase)
    listen = Graph(
        "listen",
        WaveformListen(waveform),
        (sound, *listener.maps("mask"), *numbers("outside_gain")),
        (listener.sound("audio"),),
        (torch.zeros(2, listener.samples), torch.zeros(2, *listener.picture), torch.ones(2, 1)),
    )
    predict = Ensemble(
        "predict",
        (sound,),
        listener.probabilities("probability"),
        (hears(listener, standardised="standardised"), answers(listener, "standardised", "probability")),
    )
    explaining = explained_by(RULE, rule, listener)
    composed = (predict, explaining, evidence(listener), masked(listener), heard(listener))
    ensembles = [_given_phase(each, listener, phase) for each in composed]
    samples = golden_sound(waveform.samples, waveform.sample_rate_hz)
    checks = torch.stack([(torch.arange(waveform.bins) // 16 % 2).float()] * waveform.frames).unsqueeze(0)
    golden = {
        "predict": {"samples": samples},
        explaining.name: golden_question(samples),
        "heard": {"samples": samples[:1], "mask": checks, "outside_gain": torch.full((1, 1), 0.1)},
    }
    entry = {
        "name": said.name,
        "suffix": "",
        "network": said.name,
        "frontend": "frontend",
        "decision": said.decision,
        "labels": list(said.labels),
        "predict_hop_frames": max(1, round(waveform.sample_rate_hz / waveform.hop_samples)),
    }
    entries: dict[str, Any] = {
        "listeners": [entry],
        "rules": {RULE: {"alpha": LISTENER_ALPHAS[RULE]}},
        "default_rule": RULE,
        **({"thresholds": list(said.thresholds)} if said.decision == "multi-label" else {}),
    }
    labelling = asked_label_graph(listener, said.thresholds)
    return Part(
        (frontend, network, labelling, rule, mask_graph(Given(), listener), listen), tuple(ensembles), golden, entries
    )


def _given_phase(ensemble: Ensemble, listener: Listener, phase: TensorSpec) -> Ensemble:
    """The ensemble whose network is given a phase beside every picture: that of the sound the picture is of.

    Where the front-end is part of it the phase is its own, and of an explanation an output; elsewhere it is an input.
    """
    name, hears_sound = phase.name, any(step.graph == listener.frontend for step in ensemble.steps)

    def step(each: Step) -> Step:
        if each.graph == listener.frontend:
            return replace(each, outputs={**each.outputs, name: name})
        if each.graph != listener.network:
            return each
        outputs = {own: tensor for own, tensor in each.outputs.items() if own != name}
        return replace(each, inputs={**each.inputs, name: name}, outputs=outputs)

    explains = ensemble.name.startswith("explain_")
    return replace(
        ensemble,
        inputs=ensemble.inputs if hears_sound else (*ensemble.inputs, phase),
        outputs=(*ensemble.outputs, phase) if explains else ensemble.outputs,
        steps=tuple(step(each) for each in ensemble.steps),
    )


def _require_answers(network: Graph, listener: Listener) -> None:
    """Three excerpts, since networks were often exported with one or two, and may answer no other number."""
    three = [torch.cat([each, each[:1]]) for each in network.example]
    try:
        found: Mapping[int, Tensor] | tuple[Tensor, ...] = network.module(*three)
    except Exception as error:
        raise ExportError(
            f"the network does not answer three excerpts of {listener.samples} samples: {error}"
        ) from error
    if found[0].shape != (3, listener.answers):
        raise ExportError(
            f"the network answers three excerpts with {list(found[0].shape)}, and there are {listener.answers} labels; "
            "it must take any number of rows"
        )
