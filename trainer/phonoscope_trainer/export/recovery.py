"""Runs recovered from a bundle: what training starts from, and what export takes over, where the runs are gone.

A bundle keeps every network, its normalisation folded into the layer before. A recovered run holds the same function;
where its module normalises, it does so by one and zero.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from google.protobuf import text_format
from numpy.typing import NDArray
from torch import Tensor, nn
from tritonclient.grpc import model_config_pb2 as triton

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.adjoint import Convolution
from phonoscope_trainer.graphs.chains import doubled, on_phases
from phonoscope_trainer.networks import gan
from phonoscope_trainer.networks.feature_inverters import FeatureInverter, Variant
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.inverter import ExplanationInverter
from phonoscope_trainer.networks.svdnet import LAYERS
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.calibration import Calibration, Family, keep
from phonoscope_trainer.recipes.doubt.run import DoubtOptions, digest
from phonoscope_trainer.recipes.gan.options import GanOptions
from phonoscope_trainer.recipes.tagger.training import TaggerOptions
from phonoscope_trainer.repository.deployment import read_facts
from phonoscope_trainer.repository.doubt import doubt_of
from phonoscope_trainer.repository.manifest import Facts
from phonoscope_trainer.repository.shipped_graphs import constants_of, masker_of, network_of, standardise_of
from phonoscope_trainer.writing import write_text

State = dict[str, Any]
GENRES = "genres"  # what the tagger alone is trained on


def recover(repository: Path, runs: Path, command: str) -> tuple[str, ...]:
    """Write a run for every network of the bundle at `repository`; their names.

    Args:
        repository: a bundle.
        runs: folder of the runs `detector` and `explanation-inverter`, and as far as the bundle has them `masker`,
            `inverters`, `tagger`, `doubt` and `gan`.
        command: that asked for it; each run keeps it behind what the manifest says of how its network came about.

    Raises:
        ExportError: there is no bundle, or it holds other networks than this version's.
    """
    facts, entries = read_facts(repository, command)
    detector = str(runs / "detector")
    found: dict[str, tuple[State, State]] = {
        "detector": _detector(repository, facts),
        "explanation-inverter": (
            {"variant": "table"},
            {"inverter": _state(ExplanationInverter(), repository, "explanation_inverter", "inverter.")},
        ),
    }
    if (repository / "masker").is_dir():
        found["masker"] = {}, {"best": masker_of(repository).state_dict()}
    if layers := [layer for layer in LAYERS if (repository / f"inverter_{layer}").is_dir()]:
        variant: Variant = "sketched" if any(_has_sketch(repository, layer) for layer in layers) else "aligned"
        found["inverters"] = (
            {"layers": layers, "methods": ["joint"], "variant": variant, "detector": detector},
            {f"joint/{layer}": {"best": _inverter(repository, layer, variant)} for layer in layers},
        )
    if (repository / "deconvnet_tagger").is_dir():
        found["tagger"] = _tagger(repository, facts)
    if (repository / "doubt").is_dir():
        found["doubt"] = _doubt(repository, detector)
    if (repository / "generate").is_dir():
        iterations = entries["maximisation"]["training"]["iterations"]
        options = asdict(GanOptions(iterations=iterations, kernels="5x5", detector=detector))
        found["gan"] = options, {"average": _generator(repository).state_dict(), "step": iterations}
    for name, (options, state) in found.items():
        _write(runs / name, options, state, facts.command)
    if "calibration" in entries:
        _keep_calibration(runs / "detector", entries["calibration"])
    return tuple(found)


def _write(run: Path, options: State, state: State, command: str) -> None:
    run.mkdir(parents=True, exist_ok=True)
    write_text(run / checkpoint.OPTIONS, json.dumps(options, indent=2) + "\n")
    write_text(run / checkpoint.COMMAND, command + "\n")
    checkpoint.save(run, state)


def _detector(repository: Path, facts: Facts) -> tuple[State, State]:
    """Options name the corpora to measure on, and keep what the manifest says of all that was learned from."""
    learned_from = [each for each in facts.training_data if each.name != GENRES]
    corpora = list(dict.fromkeys(each.name.split("-")[0] for each in learned_from))
    network, standardise = network_of(repository), standardise_of(repository)
    state = {"network": network.state_dict(), "standardise": standardise.state_dict(), "step": 0}
    options = {"recipe": "recovered", "corpora": corpora, "start": "", "keep_convolutions": ""}
    return options | {"training_data": [asdict(each) for each in learned_from]}, state


def _keep_calibration(run: Path, entry: Mapping[str, Any]) -> None:
    """What the bundle's threshold rests on; its map of logits is in FC9, so that they are to be taken as they are."""
    families = {name: Family(**each) for name, each in entry["families"].items()}
    fitted = Calibration(**{**entry, "families": families})
    keep(run, replace(fitted, scale=1.0, offset=0.0, calibration_error_before=fitted.calibration_error), updates=0)


def _inverter(repository: Path, layer: str, variant: Variant) -> State:
    return _state(FeatureInverter(layer, variant), repository, f"inverter_{layer}", "inverter.")


def _doubt(repository: Path, detector: str) -> tuple[State, State]:
    doubt, quantiles = doubt_of(repository)
    state = {"doubt": doubt.state_dict(), "quantiles": list(quantiles), "network": digest(network_of(repository))}
    return asdict(DoubtOptions(detector=detector)), state


def _has_sketch(repository: Path, layer: str) -> bool:
    return "inverter.sketch.weight" in constants_of(repository, f"inverter_{layer}")


def _tagger(repository: Path, facts: Facts) -> tuple[State, State]:
    labels = _tagger_labels(repository)
    music = next((each.digest for each in facts.training_data if each.name == GENRES), "")
    network = Tagger(len(labels), batch_norm=True)
    options = asdict(TaggerOptions(labels=labels, music=music))
    return options, {"best": _state(network, repository, *_tagger_weights(repository))}


def tagger_of(repository: Path) -> tuple[Tagger, tuple[str, ...]]:
    """The exported tagger as a network again, in evaluation mode, and its labels.

    Raises:
        ExportError: the bundle holds none, or other weights than a tagger's.
    """
    labels = _tagger_labels(repository)
    network = Tagger(len(labels))
    network.load_state_dict(_state(network, repository, *_tagger_weights(repository)))
    return network.eval().requires_grad_(requires_grad=False), labels


def _tagger_labels(repository: Path) -> tuple[str, ...]:
    text = (repository / "deconvnet_tagger" / "config.pbtxt").read_text(encoding="utf-8")
    return tuple(text_format.Parse(text, triton.ModelConfig()).parameters["labels"].string_value.split(","))


def _tagger_weights(repository: Path) -> tuple[str, str]:
    """The graph that holds all of the tagger's weights, and what stands before their names there."""
    return ("tagger", "network.") if (repository / "tagger").is_dir() else ("deconvnet_tagger", "answer.network.")


def _state(module: nn.Module, repository: Path, graph: str, prefix: str = "") -> State:
    """The state of `module` with the weights that `graph` holds under their own names, after `prefix`."""
    values = constants_of(repository, graph)
    state: State = module.state_dict()
    state |= _unnormalised(module, {name.removeprefix(prefix): value for name, value in values.items()})
    for name in state.keys() - _unnormalised(module, {}).keys():
        found = values.get(f"{prefix}{name}")
        if found is None and name.endswith(".bias"):
            found = np.zeros(state[name].shape, np.float32)  # which an export drops
        state[name] = _like(state[name], found, f"{repository}: {graph}: {name}")
    return state


def _unnormalised(module: nn.Module, values: Mapping[str, NDArray[np.generic]]) -> State:
    """The states of normalisations that change nothing, but add what the exporter left of each in the layer before."""
    state: State = {}
    for (before, _), (name, norm) in pairwise(module.named_modules()):
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            left = values.get(f"{before}.weight_bias")
            state[f"{name}.weight"] = torch.ones(norm.num_features)
            state[f"{name}.bias"] = torch.zeros(norm.num_features) if left is None else torch.tensor(left)
            state[f"{name}.running_mean"] = torch.zeros(norm.num_features)
            state[f"{name}.running_var"] = torch.full((norm.num_features,), 1 - norm.eps)
            state[f"{name}.num_batches_tracked"] = torch.tensor(0)
    return state


def _generator(repository: Path) -> Generator:
    """The generator, whose doublings the graph carries out as convolutions to phases."""
    generator, values = Generator("5x5"), constants_of(repository, "generate")

    def taken(name: str, like: Tensor) -> Tensor:
        return _like(like, values.get(f"prior.layers.{name}"), f"{repository}: generate: {name}")

    with torch.no_grad():
        for parameter in ("weight", "bias"):
            own = generator.seed.get_parameter(parameter)
            own.copy_(taken(f"seed.layer.{parameter}", own))
        for name, layer, as_phases in _phased(generator):
            numbers = torch.arange(1, layer.weight.numel() + 1, dtype=torch.float32)
            numbered = copy.deepcopy(layer)
            numbered.weight.copy_(numbers.view_as(layer.weight))
            places = as_phases(numbered)  # in each place the number of the weight that goes there; 0 for none
            weights = taken(f"{name}.weight", places.weight)[places.weight > 0]
            layer.weight.view(-1)[places.weight[places.weight > 0].long() - 1] = weights
            assert layer.bias is not None
            layer.bias.copy_(taken(f"{name}.bias", places.bias)[:: gan.STRIDE**2])
    return generator


def _phased(generator: Generator) -> Iterator[tuple[str, nn.ConvTranspose2d | nn.Conv2d, Callable[..., Convolution]]]:
    """Layers by the names they have in the graph, and how they become convolutions there."""
    for number, layer in enumerate(generator.doublings, 1):
        assert isinstance(layer, nn.ConvTranspose2d)
        yield f"phases{number}", layer, partial(doubled, slope=gan.LEAKY_SLOPE)
    yield "last", generator.last, on_phases


def _like(own: Tensor, exported: NDArray[np.generic] | None, where: str) -> Tensor:
    """An exported array in the shape of a module's own.

    Raises:
        ExportError: it is missing, or holds another count of numbers.
    """
    if exported is None or exported.size != own.numel():
        found = "nothing" if exported is None else f"{exported.size}"
        raise ExportError(f"{where} should hold {own.numel()} numbers and holds {found}; export with this version")
    return torch.tensor(exported).view_as(own)
