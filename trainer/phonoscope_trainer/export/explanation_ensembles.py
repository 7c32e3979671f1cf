"""How an explanation is composed: detect, ask a rule, mask, and detect again what the mask keeps and what it leaves."""

from __future__ import annotations

from phonoscope_trainer.graphs.description import (
    EXCERPT_SAMPLES,
    REGION,
    Ensemble,
    Graph,
    Step,
    TensorSpec,
    maps,
    numbers,
    same,
)
from phonoscope_trainer.graphs.doubt import DOUBT, DOUBTS
from phonoscope_trainer.graphs.mask import CONTROL_MAPS, CONTROL_REGIONS
from phonoscope_trainer.networks.doubt import SEEN

MEASURED = ("relative_area", "effective_alpha")
# What the detector is asked again, and its answer's name.
KEPT = {"explanation": "masked_probability"}
ASKED = KEPT | {"remainder": "removed_probability"} | {name: f"{name}_probability" for name in CONTROL_MAPS}
TRIED = tuple(ASKED.values())
STANDARDISED = {"excerpt": "standardised"}  # what graphs call the standardised excerpt, and what ensembles do


def explain(rule: str, graph: Graph, *, doubts: bool = False) -> Ensemble:
    """EUSIPCO 2018, Fig. 1, and the evidence; `graph` turns layers of the detector and the excerpt into relevance.

    Whatever the rule, the explanation inverter runs too, and, where the bundle `doubts`, what tells how far the answer
    is to be doubted.
    """
    asked = [spec.name for spec in graph.inputs if spec.name not in STANDARDISED]
    seen = {name: STANDARDISED.get(name, name) for name in SEEN} if doubts else {}
    known = dict.fromkeys(name for name in (*asked, "fc8", *seen) if name not in STANDARDISED)
    is_inverter = graph.name == "explanation_inverter"
    ruling = Step(graph.name, _known(graph), same("relevance"))
    inverting = Step(
        "explanation_inverter",
        same("fc8") | STANDARDISED,
        same("inverted", "reconstruction_error", *(("relevance",) if is_inverter else ())),
    )
    return Ensemble(
        f"explain_{rule}",
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *REGION),
        (
            *maps("log_mel", "standardised", "inverted", "relevance", "mask", "explanation"),
            CONTROL_REGIONS,
            *numbers("probability", *TRIED, *MEASURED, "reconstruction_error", *(DOUBTS if doubts else ())),
        ),
        (
            Step("frontend", same("samples"), same("log_mel", "standardised")),
            Step("detector", STANDARDISED, same("probability", *known)),
            *((Step(DOUBT, seen, same(*DOUBTS)),) if doubts else ()),
            *((inverting,) if is_inverter else (inverting, ruling)),
            *_evidence(),
        ),
    )


def evidence() -> Ensemble:
    """The second half of `explain_RULE`: what is tried on a region of a relevance that is known already."""
    return Ensemble(
        "evidence",
        (*maps("log_mel", "standardised", "relevance"), *REGION),
        (*maps("mask", "explanation"), CONTROL_REGIONS, *numbers(*TRIED, *MEASURED)),
        tuple(_evidence()),
    )


def masked() -> Ensemble:
    """What of that the label hangs on, for sweeps over alpha."""
    return Ensemble(
        "masked",
        (*maps("log_mel", "standardised", "relevance"), *REGION),
        numbers("masked_probability", *MEASURED),
        (_mask(*KEPT, *MEASURED), *(_detect(excerpt, answer) for excerpt, answer in KEPT.items())),
    )


def heard() -> Ensemble:
    """A region as sound, and what the detector makes of that sound: whether the explanation holds when it is heard."""
    return Ensemble(
        "heard",
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *maps("mask"), *numbers("outside_gain")),
        (TensorSpec("audio", (EXCERPT_SAMPLES,)), *numbers("heard_probability")),
        (
            Step("listen", same("samples", "mask", "outside_gain"), same("audio")),
            Step("frontend", {"samples": "audio"}, {"standardised": "heard"}),
            _detect("heard", "heard_probability"),
        ),
    )


def _known(graph: Graph) -> dict[str, str]:
    """A rule's inputs: the detector's layers under their own names, and the excerpt."""
    return {spec.name: STANDARDISED.get(spec.name, spec.name) for spec in graph.inputs}


def _evidence() -> list[Step]:
    return [
        _mask("mask", CONTROL_REGIONS.name, *ASKED, *MEASURED),
        *(_detect(excerpt, answer) for excerpt, answer in ASKED.items()),
    ]


def _mask(*outputs: str) -> Step:
    region = (spec.name for spec in REGION)
    return Step("mask", same("log_mel", "standardised", "relevance", *region), same(*outputs))


def _detect(excerpt: str, probability: str) -> Step:
    return Step("detector", {"excerpt": excerpt}, {"probability": probability})
