"""An adopted network as a bundle of one listener: graphs, ensembles, golden vectors, manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from torch import Tensor

from phonoscope_trainer.corpora.rendered import RenderOptions, render_song
from phonoscope_trainer.export.adoption.bank import ADOPTED_BANK, AdoptedBankOptions, RenderedExcerpts, adopted_bank
from phonoscope_trainer.export.bundle import write_bundle
from phonoscope_trainer.export.exchange import exchange_heard, exchanged
from phonoscope_trainer.export.explanation_ensembles import answers, asked, evidence, explained_by, heard, hears, masked
from phonoscope_trainer.export.layer_inversion import layer_inversion_part
from phonoscope_trainer.export.part import Part
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.adopted import (
    adopted_frontend_graph,
    adopted_listen_graph,
    composed,
    spread_of,
    transform_of,
)
from phonoscope_trainer.graphs.answered_label import PREDICTED, asked_label_graph
from phonoscope_trainer.graphs.asked_label import NO_CONTRAST
from phonoscope_trainer.graphs.description import Ensemble, Graph, part_of
from phonoscope_trainer.graphs.exchange_trials import TRIALS
from phonoscope_trainer.graphs.labelled_exchange import CHOICE, labelled_exchange_graph, labelled_exchange_sound_graph
from phonoscope_trainer.graphs.mask import mask_graph
from phonoscope_trainer.graphs.rules import LISTENER_ALPHAS
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversions
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.models import replacing

GOLDEN_ROWS = 2
GOLDEN_AREA = 0.25


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is written, and where."""

    listener: Listener
    network: Graph  # the contract's: `excerpt` to layers, `log_odds` and `probability`
    rules: Mapping[str, Graph]  # the default first
    out: Path
    name: str  # of the bundle
    command: str
    training_data: tuple[bundle.TrainingData, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    bank: AdoptedBankOptions = ADOPTED_BANK
    inversions: LayerInversions | None = None  # of its layers
    music: RenderedExcerpts | None = None  # that the bank is made of; None: there is none


def write_adopted(adoption: Adoption) -> str:
    """Write a complete bundle in place of what is at `out`; its digest.

    Raises:
        ExportError: a graph cannot be written faithfully.
    """
    part = adopted_part(adoption)
    facts = bundle.Facts(
        name=adoption.name,
        threshold=adoption.listener.thresholds[0] if adoption.listener.decision == "binary" else None,
        metrics=adoption.metrics,
        training_data=adoption.training_data,
        command="\n".join(dict.fromkeys([*adoption.commands, adoption.command])),
    )
    with replacing(adoption.out) as root:
        return write_bundle(root, [part], facts)


def adopted_part(adoption: Adoption) -> Part:
    """Everything of the listener."""
    trained = adoption.listener
    listener = composed(trained)
    standardise = trained.standardise
    rules = adoption.rules
    explaining = {rule: explained_by(rule, graph, listener) for rule, graph in rules.items()}
    graphs = (
        adopted_frontend_graph(trained, listener),
        adoption.network,
        asked_label_graph(listener, trained.thresholds),
        *rules.values(),
        mask_graph(standardise, listener),
        adopted_listen_graph(trained, listener),
    )
    samples = golden_samples(trained)
    ensembles = (_predict(adoption), *explaining.values(), evidence(listener), masked(listener), heard(listener))
    golden = {
        "predict": {"samples": samples},
        **{each.name: asked(each, golden_question(samples)) for each in explaining.values()},
        "heard": {"samples": samples[:1], "mask": _checks(trained), "outside_gain": torch.full((1, 1), 0.1)},
    }
    entries: dict[str, Any] = {
        "listeners": [_entry(trained, listener.network, listener.frontend)],
        "rules": {rule: {"alpha": LISTENER_ALPHAS[rule]} for rule in rules},
        "default_rule": next(iter(rules)),
    }
    if trained.decision == "multi-label":
        entries["thresholds"] = list(trained.thresholds)
    part = Part(graphs, ensembles, golden, entries, adoption.parameters)
    if adoption.inversions is not None:
        part = part.with_further(
            layer_inversion_part(
                adoption.inversions, listener, standardise, trained.parameters, transform_of(trained), samples
            )
        )
    return part if adoption.music is None else _with_bank(part, adoption, next(iter(explaining.values())))


def golden_samples(trained: Listener) -> Tensor:
    """`[2, N]` excerpts of a rendered song; see `golden_sound`."""
    return golden_sound(trained.samples, trained.parameters.sample_rate_hz)


def golden_sound(length: int, rate: int) -> Tensor:
    """`[2, N]` excerpts of a rendered song, as a file of 16 bits would hold them: golden vectors ship with a bundle."""
    song = render_song(2018, 0, RenderOptions())
    mix = soxr.resample(song.voice + song.accompaniment, FRONTEND.sample_rate_hz, rate)
    whole = torch.from_numpy((np.rint(mix * 32768) / 32768).astype(np.float32))
    starts = [int(share * (len(whole) - length)) for share in np.linspace(0.2, 0.8, GOLDEN_ROWS)]
    return torch.stack([whole[start : start + length] for start in starts])


def _with_bank(part: Part, adoption: Adoption, explaining: Ensemble) -> Part:
    assert adoption.music is not None
    trained = adoption.listener
    listener, asking = composed(trained), part_of(explaining, ("log_mel", "relevance"))

    def ask(inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        rows = [
            compose.run(asking, part.graphs, {name: value[[row]] for name, value in whole.items()})
            for whole in [{"contrast": torch.full_like(inputs["label"], NO_CONTRAST), **inputs}]
            for row in range(len(inputs["label"]))
        ]
        return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}

    bank, said = adopted_bank(adoption.bank, adoption.music, ask)
    sound = labelled_exchange_sound_graph(bank, transform_of(trained), listener, spread_of(trained.parameters))
    graphs = (labelled_exchange_graph(bank, trained.standardise, listener), sound)
    ensembles = (exchanged(listener, CHOICE), exchange_heard(listener, CHOICE))
    return part.with_further(Part(graphs, ensembles, _golden_trials(trained), {"exchange": said}))


def _predict(adoption: Adoption) -> Ensemble:
    """One excerpt's answer."""
    listener = composed(adoption.listener)
    return Ensemble(
        "predict",
        (listener.sound("samples"),),
        listener.probabilities("probability"),
        (hears(listener, standardised="standardised"), answers(listener, "standardised", "probability")),
    )


def _entry(trained: Listener, network: str, frontend: str) -> dict[str, Any]:
    frames_a_second = trained.parameters.sample_rate_hz / trained.parameters.hop_samples
    return {
        "name": trained.name,
        "suffix": "",
        "network": network,
        "frontend": frontend,
        "decision": trained.decision,
        "labels": list(trained.labels),
        "frames": trained.frames,
        "frontend_parameters": asdict(trained.parameters),
        "predict_hop_frames": max(1, round(frames_a_second)),
    }


def _number(*values: int) -> Tensor:
    return torch.tensor([[value] for value in values], dtype=torch.int32)


def golden_question(samples: Tensor) -> dict[str, Tensor]:
    """What the golden vectors of explanations are asked."""
    return {
        "samples": samples[:1],
        "alpha": torch.zeros(1, 1),
        "maximum_area": torch.full((1, 1), GOLDEN_AREA),
        "masking": _number(1),
        "control_seed": _number(7),
        "label": _number(PREDICTED),
        "contrast": _number(NO_CONTRAST),
    }


def _golden_trials(trained: Listener) -> dict[str, dict[str, Tensor]]:
    """Every trial of a checked region."""
    rows = len(TRIALS)
    row = torch.arange(rows, dtype=torch.int32).unsqueeze(1)
    frames, bands = (torch.arange(size) // 16 for size in trained.picture)
    stripes = (-2.0 - 0.25 * bands + 0.125 * frames[:, None]).expand(rows, -1, -1)
    asked = {"label": row % trained.answers, "contrast": torch.full_like(row, NO_CONTRAST)}
    choice = {**asked, "trial": row, "draw": row + 1, "control_seed": 7 * row + 1}
    return {"exchanged": {"log_mel": stripes, "region": _checks(trained).expand(rows, -1, -1), **choice}}


def _checks(trained: Listener) -> Tensor:
    """Half the excerpt, in checks of some frames and bands."""
    frames, bands = (torch.arange(size) // 8 for size in trained.picture)
    return ((frames[:, None] + bands) % 2).float().unsqueeze(0)
