"""The bundle in `model_repository/`: what it says of itself is so, and every engine hears what the trainer heard."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.golden import unproven
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from phonoscope_trainer.corpora import folder
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.experiments.detector.judging import judge
from phonoscope_trainer.measures.listeners import bundle_listener
from phonoscope_trainer.repository.golden import read_golden
from support.corpora.real_data import data_folder
from support.corpora.reference_frontend import reference_log_mel
from support.nearly import assert_nearly_close

REPOSITORY = Path(__file__).parents[2] / "model_repository"
MANIFEST = json.loads((REPOSITORY / "MANIFEST.json").read_text())
GOLDEN = read_golden(REPOSITORY)
DEMO = Path(__file__).parents[2] / "clients" / "phonoscope_client" / "demo"


def session(graph: str) -> onnxruntime.InferenceSession:
    path = REPOSITORY / graph / "1" / "model.onnx"
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def engine() -> OnnxEngine:
    engine = OnnxEngine(load_bundle(REPOSITORY), OnnxOptions(device="cpu", threads=1), Metrics())
    engine.load()
    return engine


def test_every_file_has_the_digest_the_manifest_gives_it():
    for path, digest in MANIFEST["files"].items():
        assert hashlib.sha256((REPOSITORY / path).read_bytes()).hexdigest() == digest, path
    listed = {name: value for name, value in MANIFEST.items() if name != "digest"}
    text = json.dumps(listed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == MANIFEST["digest"]


def test_every_graph_is_proven_by_a_golden_vector():
    assert unproven(load_bundle(REPOSITORY)) == []


def test_nothing_lies_in_the_repository_that_the_manifest_does_not_name():
    present = {str(p.relative_to(REPOSITORY)) for p in REPOSITORY.rglob("*") if p.is_file()}
    assert present == {*MANIFEST["files"], "MANIFEST.json"}


def test_every_warm_up_file_holds_one_row_of_its_input():
    for name, config in load_bundle(REPOSITORY).models.items():
        for sample in config.model_warmup:
            for tensor, entry in sample.inputs.items():
                given = next(each for each in config.input if each.name == tensor)
                sizes = zip(given.dims, entry.dims, strict=True)
                assert all(size in (-1, warm) for size, warm in sizes), f"{name}: {tensor}"
                if entry.input_data_file:
                    written = (REPOSITORY / name / "warmup" / entry.input_data_file).stat().st_size
                    assert written == 4 * np.prod(entry.dims), f"{name}: {tensor}"


def test_the_bundle_is_at_most_40_megabytes():
    if not [*REPOSITORY.glob("*/1/*.weights")]:
        pytest.skip("this bundle was issued before graphs shared their weights")
    assert sum(p.lstat().st_size for p in REPOSITORY.rglob("*") if p.is_file()) <= 40e6


def test_it_holds_the_published_networks_trained_on_named_and_licensed_data():
    assert MANIFEST["parameters"] == {
        "detector": 1_408_225,
        "explanation_inverter": 31_877,
        "masker": 35_201,
        "inverter_conv1": 37_570,
        "inverter_conv2": 28_130,
        "inverter_mp3": 45_602,
        "inverter_conv4": 575_362,
        "inverter_conv5": 144_322,
        "inverter_mp6": 80_242,
        "inverter_fc7": 175_009,
        "inverter_fc8": 130_081,
        "tagger": 804_739,
        "generator": 932_801,
    }
    assert MANIFEST["training_data"]
    assert all(data["licence"] and len(data["digest"]) == 64 for data in MANIFEST["training_data"])
    assert "phonoscope-train export" in MANIFEST["command"]
    assert MANIFEST["metrics"]["validation_auc"] > 0.9


@pytest.mark.parametrize("tensor", [name.split(".")[2] for name in GOLDEN if name.startswith("explain_masker.output.")])
def test_the_engine_gives_the_golden_explanation(engine, tensor):
    inputs = {n.split(".")[2]: GOLDEN[n] for n in GOLDEN if n.startswith("explain_masker.input.")}
    found = engine.run("explain_masker", inputs)[tensor]
    assert_nearly_close(found, GOLDEN[f"explain_masker.output.{tensor}"], atol=2e-4, rtol=1e-4)


def test_the_engine_gives_the_golden_curve(engine):
    inputs = {n.split(".")[2]: GOLDEN[n] for n in GOLDEN if n.startswith("predict.input.")}
    found = engine.run("predict", inputs)["probability"]
    np.testing.assert_allclose(found, GOLDEN["predict.output.probability"], atol=2e-4)


def log_mel_of(song: str) -> tuple[np.ndarray, np.ndarray]:
    """Half a minute of a real recording through the exported front-end, and through the definition in float64."""
    samples = read_mono(data_folder("songs") / song, 22050)[: 30 * 22050]
    (found,) = session("frontend").run(["log_mel"], {"samples": samples[None]})
    return found[0], reference_log_mel(samples)


@pytest.mark.data
@pytest.mark.parametrize(
    "song",
    [
        "Confession_-_Quesabe.mp3",
        "Fantasma_-_Los_Rombos.mp3",
        "Karissa_Hobbs_-_Lets_Go_Fishin.ogg",
        "Kevin_MacLeod_-_Vibe_Ace.ogg",
        "piano.wav",
        "sax-phrase.wav",
        "singing-female.wav",
    ],
)
def test_the_exported_front_end_follows_the_definition_on_real_recordings(song):
    found, expected = log_mel_of(song)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_detector_follows_the_voice_of_the_song_that_ships():
    listener, threshold = bundle_listener(REPOSITORY)
    (song,) = judge(folder.load(DEMO).tracks, listener, threshold)
    assert song.auc is not None
    assert song.auc > 0.9


@pytest.mark.data
def test_the_detector_follows_the_voice_of_real_songs():
    listener, threshold = bundle_listener(REPOSITORY)
    tracks = [t for t in folder.load(data_folder("songs")).tracks if t.name.startswith(("Fantasma", "Veranderung"))]
    assert all(song.auc is not None and song.auc > 0.85 for song in judge(tracks, listener, threshold))
