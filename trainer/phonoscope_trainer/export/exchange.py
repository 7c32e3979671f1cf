"""Evidence by exchange with other music: how the graphs that try a region are composed, and asked.

Keeping a region and filling the rest draws the region's outline, and an outline can sing. So the region's content is
put into other music that has the other answer, and what comes of it is compared with what the outline does by itself.

A row of the ensemble `exchanged` is one thing that is tried: `exchange` makes its picture, `detector` answers. Whoever
asks repeats the excerpt and its region, a row for each trial and draw (`graphs.exchange_trials`), so all trials of an
explanation are one batch of the detector, no network is stored twice, and whoever wants less asks for fewer rows.
Random regions are those of `mask` (`control_regions`), carried like the region itself. The answer's side of the bank,
`vocal`, is for the caller to say, who knows the threshold. `exchange_heard` makes the exchange sound and asks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from phonoscope_trainer.export.bank import EXAMPLES
from phonoscope_trainer.export.explanation_ensembles import answers, hears
from phonoscope_trainer.export.part import Part
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.bank import Bank
from phonoscope_trainer.graphs.description import EXCERPT, Ensemble, Graph, Step, TensorSpec, same
from phonoscope_trainer.graphs.exchange_sound import HEARD_TRIALS, exchange_sound_graph
from phonoscope_trainer.graphs.exchange_trials import CHOICE, TRIALS, exchange_graph
from phonoscope_trainer.graphs.listener import DETECTOR, Listener
from phonoscope_trainer.graphs.nearest import LAYER, NEAREST_EXAMPLES, nearest_examples_graph
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet


def exchange_part(
    bank: Bank,
    network: SVDNet,
    frontend: Frontend,
    standardise: Standardise,
    samples: Tensor,
    said: Mapping[str, Any],
) -> Part:
    """The graphs that hold the bank, and their ensembles; where it is said what the excerpts are, the nearest, too.

    Args:
        bank: other music.
        network: the detector, in evaluation mode.
        frontend: of the detector.
        standardise: of the detector.
        samples: `[2, N]` excerpts that golden vectors are made of.
        said: of the bank, for the manifest.
    """
    graphs: tuple[Graph, ...] = (exchange_graph(bank, standardise), exchange_sound_graph(bank, frontend.options))
    golden = {
        "exchanged": _golden(samples, frontend, len(TRIALS)),
        "exchange_heard": _golden(samples, frontend, len(HEARD_TRIALS)),
    }
    golden["exchange_heard"] |= {"samples": samples[_alternating(len(HEARD_TRIALS))]}
    ensembles: tuple[Ensemble, ...] = (exchanged(), exchange_heard())
    if EXAMPLES in said:
        graphs = (*graphs, nearest_examples_graph(bank, network, standardise))
        ensembles = (*ensembles, nearest(bank))
        golden["nearest"] = {"samples": samples}
    return Part(graphs, ensembles, golden, {"exchange": dict(said)})


def nearest(bank: Bank) -> Ensemble:
    """How far an excerpt lies from those of the bank in the detector's last hidden layer."""
    return Ensemble(
        "nearest",
        (DETECTOR.sound("samples"),),
        (TensorSpec("distance", (2 * bank.excerpts,)),),
        (
            hears(DETECTOR, standardised="standardised"),
            Step("detector", {"excerpt": "standardised"}, same(LAYER)),
            Step(NEAREST_EXAMPLES, same(LAYER), same("distance")),
        ),
    )


def exchanged(listener: Listener = DETECTOR, choice: Sequence[TensorSpec] = CHOICE) -> Ensemble:
    """Pictures of what is tried, and the answer to each; `choice` says of each row which trial it is."""
    return Ensemble(
        listener.model("exchanged"),
        (*listener.maps("log_mel", "region"), *choice),
        listener.probabilities("probability"),
        (
            Step(listener.model("exchange"), same("log_mel", "region", *_names(choice)), same("excerpt")),
            answers(listener, "excerpt", "probability"),
        ),
    )


def exchange_heard(listener: Listener = DETECTOR, choice: Sequence[TensorSpec] = CHOICE) -> Ensemble:
    """The same as sound, heard from the start."""
    return Ensemble(
        listener.model("exchange_heard"),
        (listener.sound("samples"), *listener.maps("log_mel", "region"), *choice),
        (listener.sound("audio"), *listener.probabilities("heard_probability")),
        (
            Step(
                listener.model("exchange_sound"),
                same("samples", "log_mel", "region", *_names(choice)),
                same("audio"),
            ),
            hears(listener, "audio", standardised="heard"),
            answers(listener, "heard", "heard_probability"),
        ),
    )


def _names(choice: Sequence[TensorSpec]) -> tuple[str, ...]:
    return tuple(spec.name for spec in choice)


def _golden(samples: Tensor, frontend: Frontend, trials: int) -> dict[str, Tensor]:
    """Every trial, of an excerpt without singing and of a sung one in turn, so far as the caller says."""
    row = torch.arange(trials, dtype=torch.int32).unsqueeze(1)
    inside = torch.zeros(trials, *EXCERPT)
    inside[:, 20:90, 10:50] = 1
    log_mel = frontend(samples)[_alternating(trials)]
    return {
        "log_mel": log_mel,
        "region": inside,
        "vocal": row % 2,
        "trial": row,
        "draw": row + 1,
        "control_seed": 7 * row + 1,
    }


def _alternating(rows: int) -> Tensor:
    return torch.arange(rows) % 2
