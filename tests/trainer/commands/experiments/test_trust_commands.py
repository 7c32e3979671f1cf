"""`experiment stems`, `peers` and `sanity` in miniature: what they leave behind, and what they refuse."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
import torch
from phonoscope_trainer.commands.experiments import peers as peers_experiment
from phonoscope_trainer.commands.experiments import sanity as sanity_experiment
from phonoscope_trainer.commands.experiments import stems as stems_experiment
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.errors import CorpusError, ExportError, OptionsError
from phonoscope_trainer.experiments.explanation.controls import CONTROLS
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.network import network_of_bundle
from phonoscope_trainer.experiments.trust.captum_peers import PEERS
from phonoscope_trainer.experiments.trust.peers import PeerOptions, costly_rows, together
from phonoscope_trainer.experiments.trust.sanity import SanityOptions
from phonoscope_trainer.experiments.trust.stems import StemOptions
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.repository.manifest import MANIFEST
from support.corpora.miniature_corpus import work_in

BASELINES = {"energy", "loudest_standardised", "loudest_voice_band", "constant"}
SHARED = "--corpora mir1k --threads 1"


def run(command: str) -> dict:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers()
    for module in (stems_experiment, peers_experiment, sanity_experiment):
        module.add_experiment(verbs)
    options = vars(parser.parse_args(command.split()))
    path = options["json_path"]
    options.pop("run")(**options)
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory, written):
    """Two clips to test on, one to learn from what is usual, and an untrained bundle that calls half of them vocal."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("trust")
        work_in(folder, patch, [("one", "a", "test"), ("two", "b", "test"), ("three", "c", "valid")], (0, 3))
        repository = folder / "model_repository"
        repository.mkdir()
        for part in written.root.iterdir():
            if part.name != MANIFEST:
                (repository / part.name).symlink_to(part)
        manifest = json.loads((written.root / MANIFEST).read_text())
        (repository / MANIFEST).write_text(json.dumps(manifest | {"threshold": middle(written)}))
        yield folder


@torch.inference_mode()
def middle(written) -> float:
    """A threshold that an untrained detector finds as many excerpts above as below."""
    logits = []
    for track in features(named.load("mir1k").of("test"), Frontend()):
        log_mel = Frontend().log_mel(torch.from_numpy(track.magnitudes[0].astype(np.float32)))
        logits.append(
            written.detector.network(written.detector.standardise(log_mel).unfold(0, 115, 9).transpose(1, 2))[:, 0]
        )
    return float(torch.sigmoid(torch.cat(logits).median()))


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    monkeypatch.setenv("PHONOSCOPE_DATA", str(place / "data"))
    return place


def test_stems_leaves_every_measure_of_every_name_with_its_interval(here):
    found = run(f"stems {SHARED} --excerpts 6 --json out/stems.json")
    assert found["rule"] == "masker"
    names = {"default", "masker", "gradient", "inversion", "saliency", *CONTROLS, *BASELINES}
    for measure in ("relevance_mass", "relevance_rank", "pointing_game"):
        assert set(found[measure]) == names
        assert set(found[measure]["default"]) == {"mean", "low", "high"}
        assert all(0 <= score["mean"] <= 1 for score in found[measure].values())
        assert found[measure]["default"] == found[measure]["masker"]
    mass, ahead = found["relevance_mass"], found["above"]["inversion"]
    assert ahead["mean"] == pytest.approx(mass["default"]["mean"] - mass["inversion"]["mean"])
    assert set(found["above"]) == names - {"default", "masker"}
    assert found["per_corpus"]["mir1k"]["n"] == 6
    for figure in ("stems", "stems-mir1k"):
        assert (here / "out" / f"{figure}.png").stat().st_size > 1000


def test_peers_leaves_a_row_for_every_peer_and_how_much_faster_the_default_is(here):
    found = run(f"peers {SHARED} --excerpts 4 --costly-excerpts 4 --lime-samples 50 --json out/peers.json")
    assert set(found["peers"]) == set(PEERS)
    assert set(found["rules"]) == {"masker", "gradient", "inversion"}
    assert set(found["engines"].values()) == {"ONNX Runtime"}
    default = found["rules"][found["default"]]
    assert default["loss_over_default"] == {"mean": 0, "low": 0, "high": 0}
    assert default["times_the_default"] == 1
    assert set(found["baselines"]) == BASELINES
    for name, row in found["peers"].items():
        assert row["n"] == 4
        assert {"loss", "removed_flips", "average_drop", "deletion", "insertion", "smoothed", "seconds"} <= set(row)
        lower = row["loss"]["mean"] < default["loss"]["mean"]
        assert (name in found["lower_loss_than_default"]) == lower
    for peer in ("lime", "integrated_gradients"):
        assert found[f"speedup_over_{peer}"] == pytest.approx(found["peers"][peer]["times_the_default"])
    assert (here / "out" / "peers.png").stat().st_size > 1000


def test_sanity_leaves_what_is_alike_stage_by_stage(here):
    found = run(f"sanity {SHARED} --excerpts 3 --draws 2 --json out/sanity.json")
    assert found["n"] == 3
    for rule in ("masker", "gradient", "inversion"):
        assert list(found["randomisation"][rule]) == ["fc9", "fc8", "fc7", "conv5", "conv4", "conv2", "conv1"]
        assert {"louder", "quieter", "one_frame_later"} == set(found["stability"][rule])
    assert (here / "out" / "sanity.png").stat().st_size > 1000


def test_excerpts_of_several_corpora_keep_their_tracks_apart():
    def excerpts(rows):
        is_vocal = np.arange(rows) % 2 == 0
        return Excerpts(torch.zeros(rows, 115, 80), is_vocal, np.arange(rows) // 2 * 3, np.arange(rows), 0.5)

    everything, corpus = together({"one": excerpts(8), "two": excerpts(4)})
    assert everything.track.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert corpus.tolist() == ["one"] * 8 + ["two"] * 4
    rows = costly_rows(everything, corpus, 4)
    assert [int(everything.is_vocal[rows][corpus[rows] == name].sum()) for name in ("one", "two")] == [2, 2]
    assert len(rows) == 8


def test_what_is_missing_is_named(here, tmp_path):
    with pytest.raises(ExportError, match="no bundle to judge"):
        network_of_bundle(tmp_path, None, threads=1)
    with pytest.raises(CorpusError, match="jamendo"):
        run("sanity --corpora jamendo --json out/none.json")


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (PeerOptions, "excerpts", 2),
        (PeerOptions, "costly_excerpts", 0),
        (StemOptions, "excerpts", 0),
        (SanityOptions, "excerpts", 0),
    ],
)
def test_an_option_outside_its_range_is_named(options, field, value):
    with pytest.raises(OptionsError, match=field):
        options(**{field: value})
