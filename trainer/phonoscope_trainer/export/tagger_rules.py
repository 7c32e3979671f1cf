"""Further rules of the tagger, and what its layers keep: what can be added to a bundle that has it as a listener."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.corpora.genres.options import GenreOptions
from phonoscope_trainer.corpora.genres.song import arrange_song
from phonoscope_trainer.frontends.linear import LINEAR_STFT
from phonoscope_trainer.frontends.parametric import Bands, Picture
from phonoscope_trainer.graphs.adopted import label_masker_graph
from phonoscope_trainer.graphs.description import Graph
from phonoscope_trainer.graphs.layer_inversion import INVERSION, inversion_rule_graph
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.graphs.occlusion import OcclusionOptions
from phonoscope_trainer.graphs.rules import LISTENER_ALPHAS
from phonoscope_trainer.graphs.tagger import tagger_graph
from phonoscope_trainer.networks.listener import Listener as Trained
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.label_masker.training import load_label_masker, new_masker
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversions, load_layer_inverters
from phonoscope_trainer.repository.listeners import LINEAR_PARAMETERS
from phonoscope_trainer.repository.models import exported
from phonoscope_trainer.repository.occlusion import occlusion_graph

SONGS, SONG_S, SEED = 2, 8.0, 2031  # that bins are covered with; no corpus has the seed


@dataclass(frozen=True, slots=True)
class TaggerAdditions:
    """What is asked for."""

    masker: Path | None = None  # run; the default rule then
    inverters: Path | None = None  # run
    occlusion: int = 0  # masks of the black-box rule; 0: none

    def commands(self) -> tuple[str, ...]:
        """That trained it."""
        runs = [run for run in (self.masker, self.inverters) if run]
        return tuple(dict.fromkeys(each for run in runs for each in checkpoint.commands(run)))


@dataclass(frozen=True, slots=True)
class TaggerRules:
    """What came of it, beside the gradient."""

    graphs: Mapping[str, Graph] = field(default_factory=dict)  # by rule
    inversions: LayerInversions | None = None

    def beside(self, rule: str, alpha: float) -> dict[str, dict[str, float]]:
        """All rules as manifests have them, the default first: a masker, or the one that there always is."""
        own = {name: {"alpha": LISTENER_ALPHAS[name]} for name in self.graphs}
        first = {"masker": own.pop("masker")} if "masker" in own else {}
        return {**first, rule: {"alpha": alpha}, **own}


def tagger_rules(additions: TaggerAdditions, trained: Trained, network: Tagger, listener: Listener) -> TaggerRules:
    """The graphs of what is asked for.

    Args:
        additions: what is.
        trained: the tagger as runs know it.
        network: as the bundle has it.
        listener: what its models are composed of.

    Raises:
        CheckpointError: a run cannot be used, or is another listener's.
    """
    graphs, inversions = dict[str, Graph](), None
    if additions.masker:
        masker = load_label_masker(additions.masker, trained)
        graphs["masker"] = label_masker_graph(masker, trained, new_masker(trained)[0], listener)
    if additions.inverters:
        inversions = load_layer_inverters(additions.inverters, trained)
        deepest = list(inversions.inverters)[-1]
        graphs[INVERSION] = inversion_rule_graph(deepest, inversions.inverters[deepest], listener)
    if additions.occlusion:
        options, name = OcclusionOptions(masks=additions.occlusion), listener.model("occlusion")
        model = exported(tagger_graph(network, listener))
        graphs["occlusion"] = occlusion_graph(
            name, model, listener.picture, other_music(), options, answers=listener.answers
        )
    return TaggerRules(graphs, inversions)


def other_music() -> Tensor:
    """`[H, T, F]` a clip of each genre of some rendered songs, as the tagger is given it."""
    options = GenreOptions(duration_s=SONG_S, sample_rate_hz=LINEAR_PARAMETERS.sample_rate_hz)
    length = LINEAR_PARAMETERS.samples_of(LINEAR_STFT.clip_frames)
    songs = [arrange_song(SEED, index, options).values() for index in range(SONGS)]
    rows = [torch.from_numpy(each.samples[-length:]) for song in songs for each in song]
    with torch.inference_mode():
        pictures: Tensor = Picture(LINEAR_PARAMETERS)(Bands(LINEAR_PARAMETERS)(torch.stack(rows)))
    return pictures.clone()
