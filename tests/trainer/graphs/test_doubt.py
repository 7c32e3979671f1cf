"""The graph `doubt`, exported: the same numbers, small, and read back."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.doubt import DOUBTS, doubt_graph
from phonoscope_trainer.networks.doubt import SEEN
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.doubt import doubt_of
from phonoscope_trainer.repository.models import write_graph
from support.bundles.doubting import QUANTILES, made_up_doubt

LARGEST_BYTES = 200_000


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("doubt")
    write_graph(doubt_graph(made_up_doubt(), SVDNet().eval()), root)
    (root / "MANIFEST.json").write_text(json.dumps({"doubt": {"quantiles": QUANTILES}}))
    return root


def looked_at(rows):
    noise = torch.Generator().manual_seed(rows)
    shapes = ((115, 80), (64, 11, 7), (256,), (1,))
    return [torch.randn(rows, *shape, generator=noise) for shape in shapes]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_graph_gives_the_networks_numbers(exported, rows):
    session = onnxruntime.InferenceSession(exported / "doubt/1/model.onnx", providers=["CPUExecutionProvider"])
    seen = looked_at(rows)
    answers = session.run(list(DOUBTS), {name: value.numpy() for name, value in zip(SEEN, seen, strict=True)})
    for found, expected in zip(answers, made_up_doubt()(*seen), strict=True):
        assert found.shape == (rows, 1)
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_a_bundle_grows_by_little(exported):
    assert (exported / "doubt/1/model.onnx").stat().st_size <= LARGEST_BYTES


def test_it_is_read_back_from_the_graph(exported):
    doubt, quantiles = doubt_of(exported)
    assert list(quantiles) == QUANTILES
    for name, value in made_up_doubt().state_dict().items():
        torch.testing.assert_close(doubt.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_a_bundle_without_it_says_how_to_get_one(tmp_path):
    (tmp_path / "MANIFEST.json").write_text("{}")
    with pytest.raises(ExportError, match=r"cannot tell .* `reissue --doubt RUN` adds it"):
        doubt_of(tmp_path)
