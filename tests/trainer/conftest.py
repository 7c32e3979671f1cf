"""A complete bundle with untrained networks, written once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.export.bundle import write_bundle
from phonoscope_trainer.export.detection import detection
from phonoscope_trainer.export.exchange import exchange_part
from phonoscope_trainer.export.explanation import explanation_part, golden_excerpts
from phonoscope_trainer.export.part import Part, TrainedDetector
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.networks.inverter import ExplanationInverter
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository import manifest as bundle
from support.bundles.small_bank import SAID, small_bank
from support.corpora.music import melody

FACTS = bundle.Facts(
    name="untrained-1",
    threshold=0.5,
    metrics={"validation_auc": 0.5},
    training_data=(bundle.TrainingData("nothing", "CC0-1.0", "0" * 64),),
    command="none: untrained",
)


@dataclass(frozen=True)
class WrittenBundle:
    root: Path
    digest: str
    detector: TrainedDetector
    inverter: ExplanationInverter
    masker: Masker
    parts: tuple[Part, ...]


@pytest.fixture(autouse=True)
def _same_numbers_whatever_ran_before():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> WrittenBundle:
    torch.manual_seed(0)
    standardise = Standardise(torch.linspace(1, -2, 80), torch.full((80,), 1.1))
    golden = torch.from_numpy(melody(seconds=4))
    detector = TrainedDetector(Frontend(), standardise, SVDNet().eval(), FACTS.threshold, (), golden)
    quantiles = tuple(float(q) for q in np.linspace(0.5, 2, 101))
    inverter, masker = ExplanationInverter().eval(), Masker().eval()
    parts = (
        detection(detector),
        explanation_part(inverter, masker, detector, quantiles),
        exchange_part(small_bank(), detector.network, detector.frontend, standardise, golden_excerpts(detector), SAID),
    )
    root = tmp_path_factory.mktemp("bundle") / "repository"
    return WrittenBundle(root, write_bundle(root, parts, FACTS), detector, inverter, masker, parts)
