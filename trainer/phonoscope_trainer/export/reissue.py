"""A bundle once more, with this version's graphs where they hold nothing that was learned for them alone.

Runs take hours and are not kept for ever. What changes without learning, the mask and its controls, the gradient and
the ensembles of explanations, can be written again from the bundle itself; music that regions are exchanged with, and
a fitted doubt of answers, can be added. Every network stays as it was exported.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.along import ALONG, along, along_ensembles_of, along_graphs_of, golden_along
from phonoscope_trainer.export.asked_alone import golden_again
from phonoscope_trainer.export.bank import EXPLAINED, BankOptions, made_bank
from phonoscope_trainer.export.exchange import exchange_part
from phonoscope_trainer.export.explanation import rule_graphs
from phonoscope_trainer.export.explanation_ensembles import evidence, explain, masked
from phonoscope_trainer.export.labelled_bank import LabelledBankOptions
from phonoscope_trainer.export.reissued_tagger import NOTHING, write_tagger
from phonoscope_trainer.export.tagger_rules import TaggerAdditions
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.description import REGION, Ensemble, Graph, part_of
from phonoscope_trainer.graphs.detector import detector_graph, track_graph
from phonoscope_trainer.graphs.doubt import DOUBT, DOUBTS, doubt_graph
from phonoscope_trainer.graphs.frontend import frontend_graph
from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.listen import listen_graph
from phonoscope_trainer.graphs.mask import CONTROL_MAPS, CONTROL_REGIONS, mask_graph
from phonoscope_trainer.graphs.maximise import INITIAL_STATE
from phonoscope_trainer.graphs.resound import detector_sound_graph
from phonoscope_trainer.graphs.sonify import sonify_graph
from phonoscope_trainer.networks.doubt import SEEN
from phonoscope_trainer.networks.inverter import ExplanationInverter
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.doubt.run import FittedDoubt, load_doubt
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.deployment import CPU, Deployment, configure, read_facts
from phonoscope_trainer.repository.golden import read_golden, write_arrays
from phonoscope_trainer.repository.models import replacing, write_ensemble, write_graph, write_once
from phonoscope_trainer.repository.shared_weights import hold_inside, share_weights
from phonoscope_trainer.repository.shipped_graphs import masker_of, network_of, runner, standardise_of, threshold_of

ALREADY_KNOWN = ("log_mel", "standardised", "relevance")  # inputs of `mask` that golden vectors hold as outputs


def reissue(
    repository: Path,
    out: Path,
    name: str,
    command: str,
    deployment: Deployment = CPU,
    bank: BankOptions | None = None,
    doubt: Path | None = None,
    tagger_bank: LabelledBankOptions | None = None,
    tagger: TaggerAdditions = NOTHING,
) -> str:
    """Write the bundle at `repository` again under another name; the new bundle's digest.

    Args:
        repository: a bundle.
        out: where the new one goes; it may be `repository`.
        name: of the new one, version included.
        command: that asked for it, for the manifest.
        deployment: what runs it.
        bank: the music that regions are exchanged with is made anew; None: as the bundle has it, or has none.
        doubt: run of what tells how far answers are to be doubted; None: likewise.
        tagger_bank: the music that the tagger's regions are exchanged with is made anew; None: likewise.
        tagger: rules and inverters of the tagger that are added.

    Raises:
        CheckpointError: `doubt` holds no readable run, or one for another detector.
        ExportError: `repository` is no bundle, was altered, or its graphs hold other networks than this version's; or
            its detector answers too little of a new bank.
    """
    facts, entries = read_facts(repository, command)
    with replacing(out) as root:
        shutil.copytree(repository, root)
        hold_inside(root)
        network = network_of(repository)
        fitted = load_doubt(doubt, network) if doubt else None
        doubts = fitted is not None or (root / DOUBT).is_dir()
        mask = mask_graph(standardise_of(repository))
        rules = rule_graphs(ExplanationInverter(), Masker(), network, threshold_of(repository))  # as descriptions
        frontend = frontend_graph(Frontend(), standardise_of(repository))
        for graph in (frontend, detector_graph(network), mask, rules["gradient"]):
            write_graph(graph, root)
        known = [rule for rule in entries["rules"] if rule in rules]
        for rule in known:
            _must_take_the_same(root, rules[rule])
        explaining = {rule: explain(rule, rules[rule], doubts=doubts) for rule in known}
        for ensemble in (*explaining.values(), evidence(), masked()):
            write_ensemble(ensemble, root)
        _write_sounds(root)
        _write_along(root, known, network, doubts=doubts)
        write_arrays(root, read_golden(root) | golden_again(root))
        _write_initial_state(root / "maximise" / "config.pbtxt")
        _give_both_directions_the_same(entries)
        _write_golden(root, [each.name for each in explaining.values()], mask, network, fitted)
        if doubt and fitted:
            write_graph(doubt_graph(fitted.doubt, network), root)
            entries |= fitted.entries
            facts = replace(facts, command="\n".join([*checkpoint.commands(doubt), facts.command]))
        if (root / "deconvnet_tagger").is_dir():
            listeners, golden = write_tagger(root, entries, read_golden(root), tagger_bank, tagger)
            facts = replace(facts, command="\n".join([*tagger.commands(), facts.command]))
            write_arrays(root, golden)
            entries |= listeners
        if bank:
            entries |= _write_bank(root, bank, explaining[entries["default_rule"]], network)
        _hold_once(root)
        share_weights(root)
        configure(root, deployment)
        return bundle.write_manifest(root, replace(facts, name=name), entries)


def _hold_once(root: Path) -> None:
    for path in sorted(root.glob("*/1/model.onnx")):
        write_once(path)


def _give_both_directions_the_same(entries: dict[str, Any]) -> None:
    """Bundles once had settings to maximise and to minimise with."""
    if "maximisation" in entries:
        entries["maximisation"]["minimise"] = entries["maximisation"]["maximise"]


def _write_sounds(root: Path) -> None:
    """The graphs that make sound, where the bundle has them."""
    for graph in _sound_graphs(standardise_of(root)):
        if (root / graph.name).is_dir():
            write_graph(graph, root)


def _sound_graphs(standardise: Standardise) -> tuple[Graph, ...]:
    """What makes pictures of the detector sound, where a bundle has it; nothing in them was learned."""
    return (
        listen_graph(FRONTEND),
        sonify_graph(FRONTEND, standardise),
        detector_sound_graph(FRONTEND, standardise),
        griffin_lim_graph(FRONTEND),
    )


def _must_take_the_same(root: Path, graph: Graph) -> None:
    """The rule of the bundle is asked as this version asks it."""
    text = (root / graph.name / "config.pbtxt").read_text(encoding="utf-8")
    found = {tensor.name for tensor in text_format.Parse(text, triton.ModelConfig()).input}
    if found != {spec.name for spec in graph.inputs}:
        taken, wanted = ", ".join(sorted(found)), ", ".join(spec.name for spec in graph.inputs)
        raise ExportError(f"{root}: {graph.name} takes {taken}, and this version's {wanted}; export a new one")


@torch.inference_mode()
def _write_along(root: Path, rules: list[str], network: SVDNet, *, doubts: bool) -> None:
    """The detector at every frame of a track, with all that moments are made of, and their explanations."""
    frontend, standardise = Frontend(), standardise_of(root)
    silence = standardise(frontend.log_mel(torch.zeros(1, 1, frontend.options.bins)))
    masker = masker_of(root) if "masker" in rules else None
    graphs = (track_graph(network, silence), *along_graphs_of(masker, network, standardise))
    for graph in graphs:
        write_graph(graph, root)
    for ensemble in along_ensembles_of([rule for rule in ALONG if rule in rules], network, doubts=doubts):
        write_ensemble(ensemble, root)
    arrays = read_golden(root)
    inputs = golden_along(torch.from_numpy(arrays["predict.input.samples"][0]))
    for rule in (rule for rule in ALONG if rule in rules):
        ensemble = along(rule, network)
        outputs = compose.run(ensemble, (frontend_graph(frontend, standardise), *graphs), inputs)
        arrays |= {f"{ensemble.name}.input.{name}": value.numpy() for name, value in inputs.items()}
        arrays |= {f"{ensemble.name}.output.{name}": value.numpy() for name, value in outputs.items()}
    write_arrays(root, arrays)


def _write_initial_state(path: Path) -> None:
    """What a row of `maximise` begins with, where the bundle has a generator."""
    if path.exists():
        config = text_format.Parse(path.read_text(encoding="utf-8"), triton.ModelConfig())
        config.parameters["initial_state"].string_value = INITIAL_STATE
        path.write_text(text_format.MessageToString(config), encoding="utf-8")


@torch.inference_mode()
def _write_bank(root: Path, options: BankOptions, explanation: Ensemble, network: SVDNet) -> Mapping[str, Any]:
    """Music to exchange regions with, chosen by the bundle's own graphs; what the manifest says of it."""
    made, said = made_bank(options, runner(root, part_of(explanation, EXPLAINED)))
    arrays = read_golden(root)
    frontend, standardise = Frontend(), standardise_of(root)
    samples = torch.from_numpy(arrays[f"{explanation.name}.input.samples"])
    part = exchange_part(made, network, frontend, standardise, samples, said)
    for graph in part.graphs:
        write_graph(graph, root)
    graphs = [*part.graphs, frontend_graph(frontend, standardise), detector_graph(network)]
    for ensemble in part.ensembles:
        write_ensemble(ensemble, root)
        inputs = part.golden[ensemble.name]
        arrays |= {f"{ensemble.name}.input.{name}": value.numpy() for name, value in inputs.items()}
        outputs = compose.run(ensemble, graphs, inputs)
        arrays |= {f"{ensemble.name}.output.{name}": value.numpy() for name, value in outputs.items()}
    write_arrays(root, arrays)
    return part.entries


@torch.inference_mode()
def _write_golden(root: Path, ensembles: list[str], mask: Graph, network: SVDNet, fitted: FittedDoubt | None) -> None:
    """Golden vectors as before, with what the controls' seed decides, and doubt, computed anew, in PyTorch."""
    arrays = read_golden(root)
    for ensemble in ensembles:
        asked, answered = f"{ensemble}.input.", f"{ensemble}.output."
        if f"{asked}samples" not in arrays:
            raise ExportError(f"{root}: there are no golden vectors of {ensemble}")
        rows = len(arrays[f"{asked}samples"])
        arrays[f"{asked}control_seed"] = np.arange(rows, dtype=np.int32)[:, None]
        given = [arrays[f"{answered}{each}"] for each in ALREADY_KNOWN] + [arrays[f"{asked}{s.name}"] for s in REGION]
        made = mask.module(*map(torch.from_numpy, given))
        regions = dict(zip((spec.name for spec in mask.outputs), made, strict=True))
        arrays = {each: array for each, array in arrays.items() if not each.startswith(f"{answered}control_")}
        arrays[f"{answered}{CONTROL_REGIONS.name}"] = regions[CONTROL_REGIONS.name].numpy()
        for each in CONTROL_MAPS:
            arrays[f"{answered}{each}_probability"] = network(regions[each]).sigmoid().numpy()
        if fitted:
            excerpt = torch.from_numpy(arrays[f"{answered}standardised"])
            seen = network.activations(excerpt) | {"excerpt": excerpt}
            chances = fitted.doubt(*(seen[name] for name in SEEN))
            arrays |= {f"{answered}{name}": each.numpy() for name, each in zip(DOUBTS, chances, strict=True)}
    write_arrays(root, arrays)
