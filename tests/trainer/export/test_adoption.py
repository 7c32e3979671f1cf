"""Networks through each of the three doors, to bundles whose golden vectors ONNX Runtime computes alike."""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from phonoscope_trainer.cli import main
from phonoscope_trainer.commands.adopt_doors import Described, open_onnx, open_torch
from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.export.adoption import bank as adopted_bank
from phonoscope_trainer.export.adoption.adopt import AdoptionOptions, adopt
from phonoscope_trainer.export.adoption.bank import AdoptedBankOptions
from phonoscope_trainer.export.adoption.verification import verified
from phonoscope_trainer.graphs.gradient import smoothed
from phonoscope_trainer.graphs.occlusion import OcclusionOptions
from phonoscope_trainer.repository.shipped_graphs import constants_of, session_of
from torch import nn
from torch.nn import functional as F

FRONTEND = "sample_rate_hz=8000,window_samples=256,fft_samples=256,hop_samples=128,bands=20,floor=1e-8"
PICTURE = (32, 20)
SAID = Described("mine", "low,middle,high", "multi-label", 0.5, FRONTEND, PICTURE[0], None, ("0",))
OPTIONS = {
    "occlusion": OcclusionOptions(masks=16, at_once=8),
    "bank": AdoptedBankOptions(excerpts=6, sounds=6),
}


def network():
    """On `[B, 1, T, M]`; labels are given to about half of whatever is heard."""
    torch.manual_seed(4)
    layers = (nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 16 * 10, 3))
    return nn.Sequential(*layers).eval()


@pytest.fixture
def quick_songs(monkeypatch):
    """Noise in place of rendered songs, which take seconds each."""

    def song(seed, index, listener, *, with_voice):
        rng = np.random.default_rng((seed, index))
        return torch.from_numpy((0.1 * rng.standard_normal(3 * listener.samples)).astype(np.float32)).cumsum(0) * 0.05

    monkeypatch.setattr(adopted_bank, "_song", song)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A package of somebody's, and its weights."""
    (tmp_path / "somebodys.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef make():\n"
        "    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), "
        "nn.Linear(640, 3))\n\n\nnumber = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("somebodys", None)
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    return tmp_path


def exported(folder, module=None, shape=(1, *PICTURE)):
    path = folder / "theirs.onnx"
    free = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        torch.onnx.export(
            module or network(),
            (torch.zeros(2, *shape),),
            path,
            dynamo=True,
            verbose=False,
            external_data=False,
            dynamic_shapes=free,
        )
    return path


def test_the_first_excerpts_of_a_bank_lack_every_label_where_any_can():
    lacks = np.ones((9, 4), bool)
    lacks[:, 2] = False
    lacks[[5, 8], 2] = True
    lacks[:, 3] = False
    lacks[[1, 8], 3] = True
    order = adopted_bank.covering(lacks, 3)
    assert sorted(order) == [*range(9)]
    assert set(order[:3]) == {1, 5, 8}
    assert (lacks[order[:3]].sum(axis=0) >= adopted_bank.HOSTS).all()
    assert adopted_bank.covering(np.zeros((4, 2), bool), 2) == [0, 1, 2, 3]


def test_a_torch_module_gets_every_rule_but_those_that_are_trained(module, tmp_path, quick_songs):
    opened = open_torch("somebodys:make", module / "weights.pt", SAID)
    report = adopt(opened, AdoptionOptions(tmp_path / "bundle", "mine", "by hand", **OPTIONS))
    assert report.rules == ("gradient", "occlusion")
    assert "masker" in report.missing
    assert report.layers == ("0",)
    manifest = json.loads((tmp_path / "bundle" / "MANIFEST.json").read_text())
    (entry,) = manifest["listeners"]
    assert entry["labels"] == ["low", "middle", "high"]
    assert manifest["default_rule"] == "gradient"
    assert manifest["thresholds"] == [0.5] * 3
    assert {"predict", "explain_gradient", "explain_occlusion"} <= report.differences.keys()


def test_a_bundle_that_computes_otherwise_is_refused(module, tmp_path, quick_songs):
    opened = open_torch("somebodys:make", module / "weights.pt", SAID)
    adopt(opened, AdoptionOptions(tmp_path / "bundle", "mine", "by hand", **OPTIONS))
    golden = dict(np.load(tmp_path / "bundle" / "golden.npz"))
    golden["predict.output.probability"] = golden["predict.output.probability"] + 0.1
    np.savez(tmp_path / "bundle" / "golden.npz", **golden)
    with pytest.raises(ExportError, match=r"predict: is .* from its golden vectors"):
        verified(tmp_path / "bundle")


def test_an_onnx_graph_on_pictures_answers_as_it_did(module, tmp_path, quick_songs):
    theirs = open_onnx(exported(tmp_path), replace(SAID, layers=()), "", None)
    ours = open_torch("somebodys:make", module / "weights.pt", SAID)
    picture = torch.randn(3, *PICTURE)
    torch.testing.assert_close(theirs.trained.network(picture), ours.trained.network(picture), atol=1e-4, rtol=1e-4)
    report = adopt(theirs, AdoptionOptions(tmp_path / "bundle", "theirs", "by hand", **OPTIONS))
    assert report.rules == ("gradient", "occlusion")


class Listening(nn.Module):
    """A tagger as people export them: normalised by itself, convolutions, pools that overlap, means, dense layers."""

    def __init__(self, *, soft: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.soft = soft
        self.scale, self.norm = nn.BatchNorm2d(1), nn.BatchNorm2d(8)
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, (5, 3), stride=(2, 1), padding=(2, 1))
        self.hidden, self.last = nn.Linear(16, 16), nn.Linear(16, 3)
        for norm in (self.scale, self.norm):
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2)

    def forward(self, pictures):
        x = self.scale((pictures - pictures.amin(dim=(2, 3), keepdim=True)) / 10)
        x = F.max_pool2d(torch.relu(self.norm(self.first(x))), (4, 1), (2, 2))
        x = F.avg_pool2d(F.leaky_relu(self.second(x), 0.1), 2)
        x = torch.tanh(self.hidden(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)))
        return torch.softmax(self.last(x), dim=1) if self.soft else self.last(x)


@pytest.mark.parametrize("decision", ["multi-label", "multi-class"])
def test_the_gradient_of_an_onnx_graph_is_that_of_the_network_it_was_exported_of(decision, tmp_path, quick_songs):
    soft = decision == "multi-class"
    path, theirs = exported(tmp_path, Listening(soft=soft).eval()), Listening(soft=soft).eval().double()
    report = adopt(
        open_onnx(path, replace(SAID, decision=decision, layers=()), "", None),
        AdoptionOptions(tmp_path / "bundle", "theirs", "by hand", **OPTIONS),
    )
    assert report.rules == ("gradient", "occlusion")
    excerpt, label = torch.randn(3, *PICTURE), torch.tensor([[0], [1], [2]], dtype=torch.int32)
    session = session_of(tmp_path / "bundle", "gradient")
    fed = {"excerpt": excerpt.numpy(), "label": label.numpy(), "contrast": np.full((3, 1), -1, np.int32)}
    found = torch.from_numpy(session.run(None, fed)[0]).double() - 0.5
    baseline = torch.from_numpy(constants_of(tmp_path / "bundle", "gradient")["baseline"]).double()
    doubled = excerpt.double().requires_grad_()
    said = theirs(doubled.unsqueeze(1))
    log_odds = torch.log(said) - torch.log1p(-said) if soft else said
    (gradient,) = torch.autograd.grad(log_odds.gather(1, label.long()).sum(), doubled)
    speaks_for = smoothed((excerpt.double() - baseline) * gradient)
    expected = 0.5 * speaks_for / speaks_for.abs().amax(dim=(1, 2), keepdim=True)
    assert (found - expected).abs().max() < 1e-4


def test_maps_of_a_graph_whose_bands_come_first_are_shown_with_time_first(tmp_path):
    turned = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(640, 3)
    ).eval()
    path = exported(tmp_path, turned, (1, *PICTURE[::-1]))
    layer = next(node.output[0] for node in onnx.load(path).graph.node if node.op_type == "MaxPool")
    opened = open_onnx(path, replace(SAID, layers=(layer,)), "", None)
    ((_, shape),) = opened.layers.items()
    assert shape == (4, PICTURE[0] // 2, PICTURE[1] // 2)
    assert opened.why_no_gradient == ""
    picture = torch.randn(3, *PICTURE)
    (shown, _) = opened.trained.network.activations(picture).values()
    expected = turned[:3](picture.transpose(1, 2).unsqueeze(1)).transpose(2, 3)
    torch.testing.assert_close(shown, expected, atol=1e-5, rtol=1e-5)


class Strongest(nn.Module):
    """Means of the largest bins: an operator that is not translated."""

    def forward(self, pictures):
        return pictures.flatten(1).topk(3, dim=1).values


def test_a_graph_with_other_operators_has_the_black_box_rule_and_the_report_says_why(tmp_path, quick_songs):
    opened = open_onnx(exported(tmp_path, Strongest()), replace(SAID, layers=()), "", None)
    report = adopt(opened, AdoptionOptions(tmp_path / "bundle", "theirs", "by hand", **OPTIONS))
    assert report.rules == ("occlusion",)
    assert "TopK" in report.missing["gradient"]
    assert any("no     gradient: operators that are not translated" in line for line in report.lines())


def test_a_graph_whose_bands_are_no_axis_of_its_input_is_refused(tmp_path):
    with pytest.raises(ExportError, match="no picture of 24 bands"):
        open_onnx(
            exported(tmp_path), replace(SAID, frontend=FRONTEND.replace("bands=20", "bands=24"), layers=()), "", None
        )


def test_labels_that_do_not_fit_the_answers_are_refused(module, tmp_path):
    with pytest.raises(ExportError, match=r"answers three pictures with \[3, 3\], and there are 2 labels"):
        open_onnx(exported(tmp_path), replace(SAID, labels="low,high", layers=()), "", None)
    with pytest.raises(OptionsError, match="with 2 numbers"):
        open_torch("somebodys:make", None, replace(SAID, labels="low,high"))


@pytest.mark.parametrize(
    ("factory", "change", "says"),
    [
        ("somebodys:nothing", {}, "cannot be called"),
        ("somebodys:number", {}, "cannot be called"),
        ("somebodys:make", {"frontend": "bands=20,hops=3"}, "frontend: no parameter 'hops'"),
        ("somebodys:make", {"layers": ("9",)}, "layers: the network has no '9'"),
        ("somebodys:make", {"labels": ""}, "labels: a listener has two or more"),
        ("somebodys:make", {"frames": 0}, "frames: say with --frames"),
    ],
)
def test_what_does_not_fit_is_named(module, factory, change, says):
    with pytest.raises(OptionsError, match=says):
        open_torch(factory, None, replace(SAID, **change))


class OnSound(nn.Module):
    """The loudness of what it hears, low and high, over some frames: `[B, N]` to `[B, 4, 2]`."""

    def __init__(self):
        super().__init__()
        self.smooth = nn.AvgPool1d(9, 1, padding=4)

    def forward(self, samples):
        low = self.smooth(samples.unsqueeze(1))[:, 0]
        both = torch.stack([low, samples - low], dim=2)
        return torch.sigmoid(8 * both.abs().reshape(samples.shape[0], 4, -1, 2).mean(dim=2) - 0.5)


def test_an_onnx_graph_on_sound_is_explained_by_what_it_hears_masked(tmp_path):
    path = exported(tmp_path, OnSound(), (8192,))
    arguments = ["adopt", str(path), "--waveform", "--labels", "low,high", "--masks", "16", "--sample-rate", "8000"]
    assert main([*arguments, "--out", str(tmp_path / "bundle")]) == 0
    manifest = json.loads((tmp_path / "bundle" / "MANIFEST.json").read_text())
    assert list(manifest["rules"]) == ["occlusion"]
    assert "exchange" not in manifest
    assert max(verified(tmp_path / "bundle").values()) < 1e-3


class OfTwo(OnSound):
    """The same, which answers two excerpts whatever it is given: how many there are was counted as it was exported."""

    def forward(self, samples):
        return super().forward(samples)[:1].expand(2, -1, -1)


def test_a_network_that_answers_a_fixed_number_of_excerpts_is_refused(tmp_path, capsys):
    path = exported(tmp_path, OfTwo(), (8192,))
    arguments = ["adopt", str(path), "--waveform", "--labels", "low,high", "--masks", "16", "--sample-rate", "8000"]
    assert main([*arguments, "--out", str(tmp_path / "bundle")]) != 0
    assert "any number of rows" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_notes_of_the_piano_are_named():
    labels = replace(SAID, labels="piano").all_labels()
    assert (labels[0], labels[39], labels[87]) == ("A 0", "C 4", "C 8")
