"""`experiment exchange` in miniature: what it leaves behind, what it says of itself, and what it refuses."""

from __future__ import annotations

import argparse
import json

import pytest
import torch
from phonoscope_trainer.commands.experiments import exchange as exchange_experiment
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.repository.manifest import MANIFEST
from support.corpora.miniature_corpus import work_in

CLIPS = [("one", "a", "test"), ("two", "b", "test"), ("three", "c", "test"), ("four", "d", "valid")]
COMMAND = "exchange --corpora mir1k --threads 1 --excerpts 8 --draws 1 --clear 0 --json out/exchange.json"


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser()
    exchange_experiment.add_experiment(whole.add_subparsers())
    return whole


def run(command: str) -> dict:
    options = vars(parser().parse_args(command.split()))
    path = options["json_path"]
    options.pop("run")(**options)
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory, written):
    """Clips whose middle is sung, and an untrained bundle that calls half of their places vocal."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("exchange")
        work_in(folder, patch, CLIPS, (1, 2))
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
        log_mel = Frontend().log_mel(torch.from_numpy(track.magnitudes[0].astype("float32")))
        excerpts = written.detector.standardise(log_mel).unfold(0, 115, 9).transpose(1, 2)
        logits.append(written.detector.network(excerpts)[:, 0])
    return float(torch.sigmoid(torch.cat(logits).median()))


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    monkeypatch.setenv("PHONOSCOPE_DATA", str(place / "data"))
    return place


def test_the_experiment_leaves_what_regions_carry(here):
    found = run(COMMAND)
    vocal, rest = found["corpora"]["mir1k"], found["instrumental"]["mir1k"]
    shared = {"n", "files", "area", "carried", "silhouette", "baseline_called", "removed_flips", "controls"}
    assert set(rest) == shared
    assert set(vocal) == shared | {"voice_muted", "accompaniment_alone"}
    for document in (vocal, rest):
        assert set(document["controls"]) == {"shifted", "other", "random"}
        assert set(document["carried"]) == {"mean", "low", "high"}
        assert document["n"] == 4
    baselines = {"energy", "loudest_standardised", "loudest_voice_band", "constant"}
    assert set(found["rules"]["mir1k"]) == {"masker", "gradient", "inversion"} | baselines
    for levels in found["level_spread"]["mir1k"].values():
        assert list(levels["carried"]) == ["-24 dB", "+0 dB", "+12 dB"]
        assert levels["spread"] == pytest.approx(max(levels["carried"].values()) - min(levels["carried"].values()))
    assert (here / "out" / "exchange.png").stat().st_size > 1000


def test_its_help_says_what_is_exchanged(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["exchange", "--help"])
    said = capsys.readouterr().out
    for name in ("carried", "removed_flips", "silhouette", "baseline_called", "voice_muted", "controls"):
        assert name in said


def test_where_no_host_is_clear_enough_the_corpus_is_named(here):
    with pytest.raises(CorpusError, match=r"mir1k: an? .* answer is needed in another recording"):
        run(COMMAND.replace("--clear 0", "--clear 1000"))
