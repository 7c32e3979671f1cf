"""The precision experiment: what is counted as changed, against its definition, and the graphs in OpenVINO."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector, of_bundle
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.precision import (
    Explained,
    PrecisionOptions,
    compare_curves,
    compare_excerpts,
)
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.repository.reduced_graphs import ReducedGraph, opener
from support.bundles.repository import REPOSITORY
from support.corpora.features import noise_track

ROWS = 8
TOP, LOWER = (slice(None), slice(0, 40)), (slice(None), slice(0, 20))


def relevant(where):
    def relevances(standardised):
        found = torch.zeros_like(standardised)
        found[where] = 1.0
        return {"gradient": found}

    return relevances


EXACT = ExplainedDetector(
    lambda standardised: standardised[TOP].mean(dim=(1, 2)),
    relevant(TOP),
    Standardise(torch.zeros(80), torch.ones(80)),
    0.5,
)


def excerpts() -> Excerpts:
    """Half of them loud at the top."""
    vocal = np.arange(ROWS) % 2 == 0
    log_mel = torch.where(torch.from_numpy(vocal), 1.0, -1.0)[:, None, None].expand(ROWS, 115, 80).clone()
    return Excerpts(log_mel, vocal, np.arange(ROWS), np.arange(ROWS), vocal_share=0.5)


def compared(other):
    return compare_excerpts(EXACT, {"other": other}, excerpts(), PrecisionOptions(batch=3), lambda b, *_: b)["other"]


def test_what_is_the_same_changes_nothing():
    row = compared(EXACT)
    assert (row["labels_changed"], row["loss_difference"], row["region_iou"], row["region_iou_low"]) == (0, 0, 1, 1)
    assert row["area"] == row["area_float32"] == pytest.approx(40 / 115)


def test_other_labels_are_counted():
    always = replace(EXACT, logits=lambda standardised: torch.ones(len(standardised)))
    assert compared(always)["labels_changed"] == 0.5


def test_smaller_regions_are_measured():
    row = compared(replace(EXACT, relevances=relevant(LOWER)))
    assert row["region_iou"] == pytest.approx(0.5)
    assert row["area"] == pytest.approx(20 / 115)


def test_regions_that_no_longer_keep_the_label_make_the_loss_larger():
    blind = replace(EXACT, relevances=relevant((slice(None), slice(60, 115))))
    row = compared(blind)  # what is left of the others has a mean of 0, which is vocal
    assert (row["loss"], row["loss_float32"], row["loss_difference"]) == (0.5, 0, 0.5)


def test_two_empty_regions_are_the_same():
    empty = Explained(torch.ones(2), torch.zeros(2, 115, 80, dtype=torch.bool), torch.zeros(2))
    assert empty.iou(empty).tolist() == [1, 1]


def test_curves_are_compared_point_by_point():
    shifted = replace(EXACT, logits=lambda standardised: EXACT.logits(standardised) + 100)
    tracks = [noise_track(400, seed) for seed in range(2)]
    row = compare_curves(EXACT, {"same": EXACT, "other": shifted}, tracks, PrecisionOptions(tracks=1))
    assert (row["same"]["curve_difference"], row["same"]["curve_difference_most"]) == (0, 0)
    assert 0 < row["other"]["curve_difference"] <= row["other"]["curve_difference_most"] <= 1
    assert row["other"]["curve_points"] > 0


@pytest.mark.parametrize("option", ["excerpts", "tracks", "track_s", "batch"])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(OptionsError, match=f"{option} must be at least"):
        PrecisionOptions(**{option: 0})


@pytest.mark.parametrize(("precision", "close"), [("float32", 1e-3), ("bfloat16", 0.5)])
def test_the_graphs_in_openvino_explain_as_those_in_onnx_runtime_do(precision, close):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: it comes with phonoscope[serving-openvino]")
    noise = torch.randn(2, 115, 80, generator=torch.Generator().manual_seed(0))
    exact, found = of_bundle(REPOSITORY, None, 1), of_bundle(REPOSITORY, None, 1, open_graph=opener(precision))
    assert found.logits(noise).numpy() == pytest.approx(exact.logits(noise).numpy(), abs=close)
    expected, relevances = exact.relevances(noise), found.relevances(noise)
    assert relevances.keys() == expected.keys()
    for rule, relevance in expected.items():
        assert float((relevances[rule] - relevance).abs().mean()) < close / 10, rule


def test_a_graph_that_is_not_there_is_named(tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: it comes with phonoscope[serving-openvino]")
    with pytest.raises(ExportError, match="no graph 'detector'"):
        ReducedGraph(Path(tmp_path), "detector", 1, "float32")
