"""`occlusion` in ONNX Runtime against its definition in plain NumPy, on networks whose answer is known."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.occlusion import FIELD, OcclusionOptions, drawn_masks, smooth_field
from phonoscope_trainer.repository.models import write_graph
from phonoscope_trainer.repository.occlusion import occlusion_graph
from torch import nn

PICTURE = (23, 17)
OPTIONS = OcclusionOptions(masks=48, at_once=8, blobs=5.0)


class Network(nn.Module):
    """Three labels; what the first is about lies in one corner."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.hidden = nn.Linear(PICTURE[0] * PICTURE[1], 12)
        self.last = nn.Linear(12, 2)

    def forward(self, excerpt):
        corner = excerpt[:, :8, :6].mean(dim=(1, 2)).unsqueeze(1)
        return torch.cat([corner, self.last(torch.tanh(self.hidden(excerpt.flatten(1))))], dim=1)


@pytest.fixture(scope="module")
def network():
    return Network().eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def fillings():
    torch.manual_seed(2)
    return torch.randn(3, *PICTURE)


@pytest.fixture(scope="module")
def session(network, fillings, tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    specs = (TensorSpec("excerpt", PICTURE),), (TensorSpec("log_odds", (3,)),)
    write_graph(Graph("network", network, *specs, (torch.zeros(2, *PICTURE),)), root)
    exported = onnx.load(root / "network" / "1" / "model.onnx")
    write_graph(occlusion_graph("occlusion", exported, PICTURE, fillings, OPTIONS, answers=3), root)
    return onnxruntime.InferenceSession(root / "occlusion" / "1" / "model.onnx", providers=["CPUExecutionProvider"])


def by_definition(network, excerpt, label, contrast, fillings):
    """One excerpt, one mask after the other."""
    field = smooth_field(PICTURE, OPTIONS).numpy().astype(float)
    total = np.zeros(PICTURE)

    def score(mask, filling):
        shown = filling + mask * (excerpt - filling)
        said = network(torch.from_numpy(shown)[None].float())[0].numpy()
        return said[label] - (said[contrast] if contrast >= 0 else 0)

    for (row, column), chosen in zip(*drawn_masks(OPTIONS, len(fillings)), strict=True):
        mask = np.empty(PICTURE)
        for t in range(PICTURE[0]):
            for m in range(PICTURE[1]):
                mask[t, m] = field[(row + t) % FIELD, (column + m) % FIELD]
        filling = fillings[chosen].numpy().astype(float)
        total += (score(mask, filling) - score(1 - mask, filling)) * (mask - 0.5)
    return 0.5 + 0.5 * total / np.abs(total).max()


def test_it_is_what_its_definition_says_for_every_row_and_label(session, network, fillings):
    excerpt = np.random.default_rng(0).standard_normal((3, *PICTURE)).astype(np.float32)
    label, contrast = np.int32([[0], [1], [2]]), np.int32([[-1], [2], [-1]])
    (found,) = session.run(None, {"excerpt": excerpt, "label": label, "contrast": contrast})
    for row in range(3):
        expected = by_definition(network, excerpt[row], label[row, 0], contrast[row, 0], fillings)
        np.testing.assert_allclose(found[row], expected, atol=2e-4)


def test_what_the_label_rests_on_is_found(session):
    excerpt = np.zeros((1, *PICTURE), np.float32)
    excerpt[:, :8, :6] = 20
    (found,) = session.run(None, {"excerpt": excerpt, "label": np.int32([[0]]), "contrast": np.int32([[-1]])})
    inside = np.zeros(PICTURE, bool)
    inside[:8, :6] = True
    assert found[0][inside].mean() > found[0][~inside].mean() + 0.3


def test_masks_are_smooth_and_keep_half():
    field = smooth_field(PICTURE, OPTIONS)
    assert field.mean().item() == pytest.approx(0.5, abs=1e-3)
    assert (field - field.roll(1, dims=1)).abs().mean() < 0.2


@pytest.mark.parametrize(("given", "name"), [({"masks": 50, "at_once": 8}, "masks 50"), ({"edge": 0.0}, "edge")])
def test_options_out_of_range_are_named(given, name):
    with pytest.raises(OptionsError, match=name):
        OcclusionOptions(**given)
