"""`masker`, `feature-inverters` and `explanation-inverter` of a listener, and `adopt` with what they made."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import torch
from phonoscope_trainer.cli import main
from phonoscope_trainer.commands.adopt_doors import Described, open_torch
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.adoption import bank as adopted_bank
from phonoscope_trainer.export.adoption.verification import verified
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.frontends.parametric import Bands, Picture
from phonoscope_trainer.networks.listener import LOG_ODDS
from phonoscope_trainer.repository.listeners import listener_of_bundle

FRONTEND = "sample_rate_hz=8000,window_samples=256,fft_samples=256,hop_samples=128,bands=20,floor=1e-8"
MODULE = """\
import torch
from torch import nn


def make():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(240, 3),
    )
"""


def frontend_of(samples):
    parameters = FrontendParameters(8000, 256, 256, 128, bands=20, floor=1e-8)
    return Picture(parameters)(Bands(parameters)(samples))


@pytest.fixture
def somewhere(tmp_path, monkeypatch):
    """A package, a folder of music, and rendered songs that take no time."""
    (tmp_path / "theirs.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    rng, rows = np.random.default_rng(0), ["file,split,vocals"]
    music = tmp_path / "music"
    music.mkdir()
    for number in range(12):
        tone = np.sin(2 * np.pi * (200 + 250 * (number % 3)) * np.arange(24_000) / 8000)
        name, split = f"song{number}.wav", "train" if number % 2 else "valid"
        soundfile.write(music / name, 0.2 * tone + 0.02 * rng.standard_normal(24_000), 8000)
        rows.append(f"{name},{split},none")
    (music / "manifest.csv").write_text("\n".join(rows))

    def song(seed, index, listener, *, with_voice):
        drawn = np.random.default_rng((seed, index)).standard_normal(3 * listener.samples)
        return torch.from_numpy((0.1 * drawn).astype(np.float32)).cumsum(0) * 0.05

    monkeypatch.setattr(adopted_bank, "_song", song)
    torch.manual_seed(4)
    network = __import__("theirs").make().eval()
    excerpts = np.stack([soundfile.read(path, dtype="float32")[0][:4224] for path in sorted(music.glob("*.wav"))])
    pictures = frontend_of(torch.from_numpy(excerpts)).unsqueeze(1)
    with torch.no_grad():  # each label is given to about half of the music, and clearly not to the rest
        said = network(pictures)
        gain = 6 / said.std(dim=0)
        network[-1].weight.mul_(gain[:, None])
        network[-1].bias.copy_((network[-1].bias - said.median(dim=0).values) * gain)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    return tmp_path


def adopting(folder, *further):
    given = ["--torch", "theirs:make", "--weights", str(folder / "weights.pt"), "--labels", "low,middle,high"]
    given += ["--frames", "32", "--frontend", FRONTEND, "--layers", "2,5", "--masks", "16", "--name", "mine"]
    return main(["adopt", *given, "--out", str(folder / "bundle"), *further])


def test_a_listener_of_a_bundle_is_what_it_was_made_of(somewhere):
    assert adopting(somewhere) == 0
    found = listener_of_bundle(somewhere / "bundle", "mine")
    described = Described("mine", "low,middle,high", "multi-label", 0.5, FRONTEND, 32, None, ("2", "5"))
    made = open_torch("theirs:make", somewhere / "weights.pt", described).trained
    assert found.layers() == made.layers()
    assert (found.parameters, found.picture, found.thresholds) == (made.parameters, made.picture, made.thresholds)
    picture = torch.randn(3, *found.picture)
    ours, theirs = (each.network.activations(picture) for each in (found, made))
    for layer in ("2", "5", LOG_ODDS):
        torch.testing.assert_close(ours[layer], theirs[layer], atol=1e-5, rtol=1e-5)
    with pytest.raises(ExportError, match="has no listener 'other'; it has mine"):
        listener_of_bundle(somewhere / "bundle", "other")


def test_what_was_trained_for_a_listener_comes_into_its_bundle(somewhere, capsys):
    assert adopting(somewhere) == 0
    said = capsys.readouterr().out
    assert "no     masker: none was trained" in said
    assert "no     inversion: no inverters were trained" in said
    bundle, music = str(somewhere / "bundle"), f"folder:{somewhere / 'music'}"
    shared = ["--listener", "mine", "--model-repository", bundle, "--corpora", music, "--updates", "3"]
    assert (
        main(["masker", *shared, "--excerpts", "60", "--validation-excerpts", "60", "--run", f"{bundle}-masker"]) == 0
    )
    assert main(["feature-inverters", *shared, "--excerpts", "60", "--run", f"{bundle}-inverters"]) == 0
    assert main(["explanation-inverter", *shared, "--run", f"{bundle}-deepest"]) == 0
    assert adopting(somewhere, "--masker", f"{bundle}-masker", "--inverters", f"{bundle}-inverters") == 0
    manifest = json.loads((somewhere / "bundle" / "MANIFEST.json").read_text())
    assert list(manifest["rules"]) == ["masker", "gradient", "occlusion", "inversion"]
    assert manifest["default_rule"] == "masker"
    assert list(manifest["inversion_error_quantiles"]) == ["2", "5"]
    assert "masker --listener mine" in manifest["command"]
    assert {"explain_masker", "explain_inversion", "invert_layers"} <= verified(somewhere / "bundle").keys()
    golden = np.load(somewhere / "bundle" / "golden.npz")
    assert "explain_masker.input.label" in golden
    assert "explain_inversion.input.label" not in golden  # it explains the label that is predicted
    assert "of which can be inverted: 2, 5" in capsys.readouterr().out


def test_adopting_may_train_at_once(somewhere):
    music = f"folder:{somewhere / 'music'}"
    assert adopting(somewhere, "--corpora", music, "--inverter-updates", "2") == 0
    manifest = json.loads((somewhere / "bundle" / "MANIFEST.json").read_text())
    assert list(manifest["rules"]) == ["gradient", "occlusion", "inversion"]
    assert (somewhere / "bundle-inverters").is_dir()


def test_what_is_the_detectors_alone_is_refused_of_a_listener(somewhere, capsys):
    arguments = ["masker", "--listener", "mine", "--threshold", "0.5", "--run", str(somewhere / "run")]
    assert main(arguments) != 0
    assert "--threshold and --start are of the detector's" in capsys.readouterr().err
