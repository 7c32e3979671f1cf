"""A bundle written again without the runs it was made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from phonoscope_trainer.cli import main
from phonoscope_trainer.errors import CheckpointError, ExportError
from phonoscope_trainer.export.bank import BankOptions
from phonoscope_trainer.export.recovery import recover
from phonoscope_trainer.export.reissue import reissue
from phonoscope_trainer.recipes.doubt.run import DoubtOptions, FittedDoubt, load_doubt, save_doubt
from phonoscope_trainer.repository.golden import read_golden
from phonoscope_trainer.repository.manifest import manifest_digest
from phonoscope_trainer.repository.shipped_graphs import session_of
from phonoscope_trainer.repository.tolerances import TOLERANCES
from support.bundles.doubting import QUANTILES, made_up_doubt
from support.bundles.repository import edit_manifest, replace
from support.bundles.small_bank import small_bank
from support.corpora.music import melody
from tritonclient.grpc import model_config_pb2 as triton


@pytest.fixture(scope="module")
def reissued(written, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("reissue") / "repository"
    reissue(written.root, out, "untrained-2", "phonoscope-train reissue --name untrained-2")
    return out


def manifest(root: Path) -> dict:
    return json.loads((root / "MANIFEST.json").read_text())


def test_a_bundle_of_this_version_is_the_same_again_under_its_new_name(written, reissued):
    before, after = manifest(written.root), manifest(reissued)
    changed = {path for path, _ in before["files"].items() ^ after["files"].items()} - {"golden.npz"}
    assert changed == set(), "graphs and configurations hold the same bytes"
    assert after["name"] == "untrained-2"
    assert after["command"] == before["command"] + "\nphonoscope-train reissue --name untrained-2"
    kept = before.keys() - {"name", "digest", "command", "files"}
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert after["digest"] == manifest_digest(after) != before["digest"]


def test_tolerances_are_written_and_what_a_bundle_says_itself_is_kept(written, reissued, tmp_path):
    assert manifest(written.root)["tolerances"] == manifest(reissued)["tolerances"] == TOLERANCES
    own = {"bfloat16": {"number": 0.5, "spread": 0.25, "size": 0.125}}
    root = shutil.copytree(written.root, tmp_path / "repository")
    edit_manifest(root, tolerances=own)
    reissue(root, tmp_path / "again", "untrained-2", "")
    assert manifest(tmp_path / "again")["tolerances"] == TOLERANCES | own


def test_golden_vectors_are_those_of_the_networks(written, reissued):
    before, after = read_golden(written.root), read_golden(reissued)
    assert set(after) == set(before)
    for name in after:
        np.testing.assert_allclose(after[name], before[name], atol=1e-5, err_msg=name)


def test_it_can_take_the_place_of_the_one_it_is_made_from(written, tmp_path, capsys):
    root = shutil.copytree(written.root, tmp_path / "repository")
    assert main(["reissue", "--model-repository", str(root), "--name", "untrained-3"]) == 0
    assert capsys.readouterr().out.split() == ["untrained-3", manifest(root)["digest"]]
    assert manifest(root)["name"] == "untrained-3"


@pytest.mark.parametrize("file", ["mask/config.pbtxt", "MANIFEST.json"])
def test_an_altered_bundle_is_not_written_again(written, tmp_path, file):
    root = shutil.copytree(written.root, tmp_path / "repository")
    text = (root / file).read_text()
    altered = text.replace('"threshold": 0.5', '"threshold": 0.4').replace("max_batch_size: 64", "max_batch_size: 32")
    assert altered != text
    (root / file).write_text(altered)
    with pytest.raises(ExportError, match=r"was altered|not the files"):
        reissue(root, tmp_path / "out", "untrained-2", "")
    assert not (tmp_path / "out").exists()


def test_other_music_can_be_added(written, tmp_path, monkeypatch):
    """An untrained detector is sure of nothing, so what it would be sure of is given."""
    root = shutil.copytree(written.root, tmp_path / "repository")
    given = small_bank()
    heard = []

    def made(options, explain):
        heard.append(explain({"samples": torch.from_numpy(melody(2)[:36934])[None]}))
        return given, {"excerpts": options.songs, "licence": "none"}

    monkeypatch.setattr("phonoscope_trainer.export.reissue.made_bank", made)
    reissue(root, root, "untrained-2", "", bank=BankOptions(songs=7))
    assert manifest(root)["exchange"] == {"excerpts": 7, "licence": "none"}
    assert {name: tuple(tensor.shape) for name, tensor in heard[0].items()} == {
        "log_mel": (1, 115, 80),
        "relevance": (1, 115, 80),
        "probability": (1, 1),
    }
    before, after = read_golden(written.root), read_golden(root)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-5, err_msg=name)
    assert (root / "exchange" / "1" / "model.onnx").read_bytes() == (
        written.root / "exchange" / "1" / "model.onnx"
    ).read_bytes()


def test_a_rule_of_another_version_is_refused(written, tmp_path):
    root = shutil.copytree(written.root, tmp_path / "repository")
    replace(root, "masker/config.pbtxt", 'name: "fc8"', 'name: "fc7"')
    with pytest.raises(ExportError, match="masker takes conv2, conv5, fc7, and this version's conv2, conv5, fc8"):
        reissue(root, tmp_path / "out", "untrained-2", "")


@pytest.fixture(scope="module")
def doubting(written, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("doubting")
    fitted = FittedDoubt(made_up_doubt(), tuple(QUANTILES))
    save_doubt(folder / "run", DoubtOptions(), fitted, written.detector.network)
    reissue(written.root, folder / "repository", "untrained-2", "", doubt=folder / "run")
    return folder / "repository"


def test_doubt_can_be_added(written, doubting):
    assert manifest(doubting)["doubt"] == {"quantiles": QUANTILES}
    before, after = read_golden(written.root), read_golden(doubting)
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=1e-5, err_msg=name)
    for rule in manifest(doubting)["rules"]:
        ensemble = f"explain_{rule}"
        parsed = text_format.Parse((doubting / ensemble / "config.pbtxt").read_text(), triton.ModelConfig())
        assert {"doubt", "wrong", "foreign"} <= {tensor.name for tensor in parsed.output}
        standardised = after[f"{ensemble}.output.standardised"]
        layers = ("mp6", "fc7", "logit")
        known = session_of(doubting, "detector", 1).run(layers, {"excerpt": standardised})
        feeds = {"excerpt": standardised} | dict(zip(layers, known, strict=True))
        answers = session_of(doubting, "doubt", 1).run(["doubt", "wrong", "foreign"], feeds)
        for name, found in zip(("doubt", "wrong", "foreign"), answers, strict=True):
            np.testing.assert_allclose(after[f"{ensemble}.output.{name}"], found, atol=1e-4)


def test_doubt_stays_when_the_bundle_is_written_again_and_is_recovered_from_it(doubting, written, tmp_path):
    reissue(doubting, tmp_path / "again", "untrained-3", "")
    changed = {path for path, _ in manifest(doubting)["files"].items() ^ manifest(tmp_path / "again")["files"].items()}
    assert changed <= {"golden.npz"}
    recover(tmp_path / "again", tmp_path / "runs", "")
    again = load_doubt(tmp_path / "runs/doubt", written.detector.network)
    torch.testing.assert_close(again.doubt.state_dict(), made_up_doubt().state_dict(), rtol=0, atol=0)
    assert list(again.quantiles) == QUANTILES


def test_a_doubt_of_another_detector_is_refused(written, tmp_path):
    fitted = FittedDoubt(made_up_doubt(), tuple(QUANTILES))
    save_doubt(tmp_path / "run", DoubtOptions(), fitted, written.detector.network.rescaled(2, 0))
    with pytest.raises(CheckpointError, match="fitted to another detector"):
        reissue(written.root, tmp_path / "out", "untrained-2", "", doubt=tmp_path / "run")
    assert not (tmp_path / "out").exists()
