"""How an explanation is composed: detect, ask a rule, mask, and detect again what the mask keeps and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from phonoscope_trainer.graphs.asked_label import ASKED as LABEL
from phonoscope_trainer.graphs.description import REGION, Ensemble, Graph, Step, numbers, same
from phonoscope_trainer.graphs.doubt import DOUBT, DOUBTS
from phonoscope_trainer.graphs.listener import DETECTOR, Listener
from phonoscope_trainer.graphs.mask import CONTROL_MAPS, CONTROL_REGIONS, control_regions
from phonoscope_trainer.networks.doubt import SEEN

MEASURED = ("relative_area", "effective_alpha")
# What the detector is asked again, and its answer's name.
KEPT = {"explanation": "masked_probability"}
ASKED = KEPT | {"remainder": "removed_probability"} | {name: f"{name}_probability" for name in CONTROL_MAPS}
TRIED = tuple(ASKED.values())
STANDARDISED = {"excerpt": "standardised"}  # what graphs call the standardised excerpt, and what ensembles do


def explain(
    rule: str, graph: Graph, *, doubts: bool = False, listener: Listener = DETECTOR, inverts: bool = True
) -> Ensemble:
    """EUSIPCO 2018, Fig. 1, and the evidence; `graph` turns layers of the network and the excerpt into relevance.

    Whatever the rule, where the listener `inverts` the explanation inverter runs too, and, where it `doubts`, what
    tells how far the answer is to be doubted. A rule that takes a label is told it, or the one that is predicted.
    """
    specs, told = {spec.name for spec in graph.inputs}, LABEL if takes_label(graph) else ()
    asked = [name for name in specs - STANDARDISED.keys() if name not in {spec.name for spec in LABEL}]
    seen = {name: STANDARDISED.get(name, name) for name in SEEN} if doubts else {}
    kept = [*(spec.name for spec in graph.inputs if spec.name in asked), *(("fc8",) if inverts else ()), *seen]
    known = dict.fromkeys(name for name in kept if name not in STANDARDISED)
    inverting = _inverting(with_relevance=graph.name == "explanation_inverter") if inverts else ()
    ruling = () if graph.name == "explanation_inverter" else _ruling(graph, listener)
    return Ensemble(
        listener.model(f"explain_{rule}"),
        (listener.sound("samples"), *REGION, *told),
        (
            *listener.maps("log_mel", "standardised", *(("inverted",) if inverts else ())),
            *listener.maps("relevance", "mask", "explanation"),
            control_regions(listener),
            *listener.probabilities("probability", *TRIED),
            *numbers(*MEASURED, *(("reconstruction_error",) if inverts else ()), *(DOUBTS if doubts else ())),
        ),
        (
            hears(listener),
            Step(listener.network, STANDARDISED, same("probability", *known)),
            *((Step(DOUBT, seen, same(*DOUBTS)),) if doubts else ()),
            *inverting,
            *ruling,
            *_evidence(listener),
        ),
    )


def explained_by(rule: str, graph: Graph, listener: Listener) -> Ensemble:
    """The ensemble of a rule; of no more rows than its graph takes."""
    return replace(explain(rule, graph, listener=listener, inverts=False), maximum_batch=graph.maximum_batch)


def asked(ensemble: Ensemble, question: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As much of a question as an ensemble takes: a rule that explains the prediction alone is told no label."""
    return {spec.name: question[spec.name] for spec in ensemble.inputs}


def takes_label(graph: Graph) -> bool:
    """Whether a rule explains any label, not the predicted one alone."""
    return {spec.name for spec in LABEL} <= {spec.name for spec in graph.inputs}


def hears(listener: Listener, samples: str = "samples", **called: str) -> Step:
    """The front-end: sound to pictures, all of which keep their names unless some are `called` otherwise."""
    wanted = called or same("log_mel", "standardised")
    own = {"log_mel": listener.log_mel, "standardised": listener.standardised}
    return Step(listener.frontend, {"samples": samples}, {own[name]: tensor for name, tensor in wanted.items()})


def evidence(listener: Listener = DETECTOR) -> Ensemble:
    """The second half of `explain_RULE`: what is tried on a region of a relevance that is known already."""
    return Ensemble(
        listener.model("evidence"),
        (*listener.maps("log_mel", "standardised", "relevance"), *REGION),
        (
            *listener.maps("mask", "explanation"),
            control_regions(listener),
            *listener.probabilities(*TRIED),
            *numbers(*MEASURED),
        ),
        tuple(_evidence(listener)),
    )


def masked(listener: Listener = DETECTOR) -> Ensemble:
    """What of that the label hangs on, for sweeps over alpha."""
    return Ensemble(
        listener.model("masked"),
        (*listener.maps("log_mel", "standardised", "relevance"), *REGION),
        (*listener.probabilities("masked_probability"), *numbers(*MEASURED)),
        (
            _mask(listener, *KEPT, *MEASURED),
            *(answers(listener, excerpt, answer) for excerpt, answer in KEPT.items()),
        ),
    )


def heard(listener: Listener = DETECTOR) -> Ensemble:
    """A region as sound, and what is made of that sound: whether the explanation holds when it is heard."""
    return Ensemble(
        listener.model("heard"),
        (listener.sound("samples"), *listener.maps("mask"), *numbers("outside_gain")),
        (listener.sound("audio"), *listener.probabilities("heard_probability")),
        (
            Step(listener.model("listen"), same("samples", "mask", "outside_gain"), same("audio")),
            hears(listener, "audio", standardised="heard"),
            answers(listener, "heard", "heard_probability"),
        ),
    )


def answers(listener: Listener, excerpt: str, probability: str) -> Step:
    """What the network says of a picture."""
    return Step(listener.network, {"excerpt": excerpt}, {"probability": probability})


def _inverting(*, with_relevance: bool) -> tuple[Step]:
    made = ("inverted", "reconstruction_error", *(("relevance",) if with_relevance else ()))
    return (Step("explanation_inverter", same("fc8") | STANDARDISED, same(*made)),)


def _ruling(graph: Graph, listener: Listener) -> tuple[Step, ...]:
    """A rule is given layers of the network under their own names, the excerpt, and the label that is explained."""
    inputs = {spec.name: STANDARDISED.get(spec.name, spec.name) for spec in graph.inputs}
    if not takes_label(graph):
        return (Step(graph.name, inputs, same("relevance")),)
    asking = Step(listener.model("asked_label"), same("probability", "label"), {"asked": "asked_label"})
    return (asking, Step(graph.name, inputs | {"label": "asked_label"}, same("relevance")))


def _evidence(listener: Listener) -> list[Step]:
    return [
        _mask(listener, "mask", CONTROL_REGIONS.name, *ASKED, *MEASURED),
        *(answers(listener, excerpt, answer) for excerpt, answer in ASKED.items()),
    ]


def _mask(listener: Listener, *outputs: str) -> Step:
    region = (spec.name for spec in REGION)
    return Step(listener.model("mask"), same("log_mel", "standardised", "relevance", *region), same(*outputs))
