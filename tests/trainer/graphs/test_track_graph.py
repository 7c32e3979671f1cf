"""`track_detector` at every frame against sliding windows, one excerpt at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.graphs.along import DENSE
from phonoscope_trainer.graphs.detector import TrackGraph, track_graph
from support.corpora.music import melody

SHIPPED = Path(__file__).parents[3] / "model_repository"
CONTEXT = 57


def run(root: Path, graph: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """All outputs of one graph of a bundle, by name."""
    session = onnxruntime.InferenceSession(str(root / graph / "1" / "model.onnx"), providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def windows_around_every_frame(standardised: np.ndarray, silence: np.ndarray) -> np.ndarray:
    """`[T, 115, M]` of `[T, M]`: each frame with 57 neighbours on either side, silence beyond the ends."""
    padded = np.concatenate([np.repeat(silence, CONTEXT, 0), standardised, np.repeat(silence, CONTEXT, 0)])
    return np.stack([padded[i : i + 2 * CONTEXT + 1] for i in range(len(standardised))])


@pytest.fixture(params=["untrained", "shipped"])
def root(request, written):
    return {"untrained": written.root, "shipped": SHIPPED}[request.param]


def test_every_frame_of_a_track_gets_what_its_own_window_gets(root):
    count = np.full((1, 1), CONTEXT, np.int32)
    standardised = run(root, "frontend", samples=melody(2.5)[None])["standardised"]
    silence = run(root, "frontend", samples=np.zeros((1, 1024), np.float32))["standardised"][0]
    windows = run(root, "detector", excerpt=windows_around_every_frame(standardised[0], silence))
    track = run(root, "track_detector", standardised=standardised, silence_before=count, silence_after=count)
    assert np.abs(track["probability"][0] - windows["probability"][:, 0]).max() <= 1e-4
    assert np.abs(track["logit"][0] - windows["logit"][:, 0]).max() <= 1e-4
    assert track["fc8"][0].shape == windows["fc8"].shape == (standardised.shape[1], 64)
    np.testing.assert_allclose(track["fc8"][0], windows["fc8"], atol=1e-4)


def test_a_track_may_have_any_length_and_any_silence_around_it(written):
    standardised = run(written.root, "frontend", samples=melody(3)[None])["standardised"]
    for before, after, frames in ((57, 57, 1), (57, 0, 60), (0, 0, 115), (3, 57, 200)):
        silence = {"silence_before": np.array([[before]], np.int32), "silence_after": np.array([[after]], np.int32)}
        found = run(written.root, "track_detector", standardised=standardised[:, :frames], **silence)
        assert found["logit"].shape == (1, before + frames + after - 114)
        assert found["fc8"].shape == (1, before + frames + after - 114, 64)


@torch.inference_mode()
def test_the_probability_is_the_sigmoid_of_the_logit(written):
    graph = track_graph(written.detector.network, torch.zeros(1, 1, 80))
    assert isinstance(graph.module, TrackGraph)
    probability, *layers = graph.module(torch.randn(1, 140, 80), *graph.example[1:])
    torch.testing.assert_close(probability, torch.sigmoid(layers[DENSE.index("logit")]))
