"""The deconvnet's graphs against its definition (Zeiler & Fergus, ECCV 2014), written slowly in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.graphs.deconvnet import Deconvnet, Level, levels
from phonoscope_trainer.graphs.description import Graph
from phonoscope_trainer.graphs.feature_pictures import detector_pictures_graph, tagger_pictures_graph
from phonoscope_trainer.networks.stages import Convolution, Pooling, Stage
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, Tagger
from phonoscope_trainer.repository.models import write_graph
from support.nearly import assert_nearly_close
from torch import nn

Ask = Callable[..., dict[str, Any]]  # picture, layer, feature, strongest_only → the graph's outputs
TAGGER_LAYERS, DETECTOR_LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5"), ("conv1", "conv2", "conv4", "conv5")


@dataclass(frozen=True)
class Passed:
    """One level of the way there."""

    level: Level
    shape: tuple[int, ...]  # of the maps before the pool
    maps: np.ndarray  # `[C, T', F']` after it
    places: np.ndarray  # `[C, T', F', 2]` where each maximum was


def way_there(stages: Sequence[Stage], picture: np.ndarray) -> list[Passed]:
    maps, passed = picture[None].astype(np.float64), []
    for level in levels(stages):
        before = rectified(convolved(maps, level), level.slope)
        maps, places = pooled(before, level.pool)
        passed.append(Passed(level, before.shape, maps, places))
    return passed


def way_back(passed: Sequence[Passed], layer: str, feature: int, *, whole: bool = True) -> np.ndarray:
    """What one feature of a layer hears, `[T, F]`."""
    depth = [each.level.name for each in passed].index(layer)
    kept = np.zeros_like(passed[depth].maps)
    if whole:
        kept[feature] = passed[depth].maps[feature]
    else:
        place = np.unravel_index(passed[depth].maps[feature].argmax(), kept.shape[1:])
        kept[(feature, *place)] = passed[depth].maps[(feature, *place)]
    for at in reversed(passed[: depth + 1]):
        unpooled = np.zeros(at.shape)
        for channel, places in enumerate(at.places):
            unpooled[channel, places[..., 0], places[..., 1]] = kept[channel]
        kept = turned(rectified(unpooled, at.level.slope), at.level)
    return kept[0]


def rectified(maps: np.ndarray, slope: float) -> np.ndarray:
    return np.where(maps > 0, maps, slope * maps)


def convolved(maps: np.ndarray, level: Level) -> np.ndarray:
    weight, (tall, wide) = weights(level), level.convolution.padding
    padded = np.pad(maps, ((0, 0), (tall, tall), (wide, wide)))
    frames, bins = (whole - kernel + 1 for whole, kernel in zip(padded.shape[1:], weight.shape[2:], strict=True))
    total = np.zeros((len(weight), frames, bins)) + level.convolution.bias.detach().double().numpy()[:, None, None]
    for dt, df in np.ndindex(*weight.shape[2:]):
        total += np.tensordot(weight[:, :, dt, df], padded[:, dt : dt + frames, df : df + bins], 1)
    return total


def turned(maps: np.ndarray, level: Level) -> np.ndarray:
    """Every value times the kernel, added up where the kernel had looked; no bias."""
    weight, (tall, wide) = weights(level), level.convolution.padding
    frames, bins = (size + kernel - 1 for size, kernel in zip(maps.shape[1:], weight.shape[2:], strict=True))
    total = np.zeros((weight.shape[1], frames, bins))
    for dt, df in np.ndindex(*weight.shape[2:]):
        total[:, dt : dt + maps.shape[1], df : df + maps.shape[2]] += np.tensordot(weight[:, :, dt, df].T, maps, 1)
    return total[:, tall : frames - tall, wide : bins - wide]


def weights(level: Level) -> np.ndarray:
    return level.convolution.weight.detach().double().numpy()


def pooled(maps: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Maxima of squares, and where each was: of several, the first."""
    channels, frames, bins = len(maps), maps.shape[1] // size, maps.shape[2] // size
    found, places = np.zeros((channels, frames, bins)), np.zeros((channels, frames, bins, 2), int)
    for t, f in np.ndindex(frames, bins):
        square = maps[:, t * size : (t + 1) * size, f * size : (f + 1) * size].reshape(channels, -1)
        first = square.argmax(axis=1)
        found[:, t, f] = square.max(axis=1)
        places[:, t, f] = np.stack([t * size + first // size, f * size + first % size], axis=1)
    return found, places


def whole_numbers(network: nn.Module) -> None:
    """Kernels of -1, 0 and 1: float32 sums are exact, so maxima are where the definition has them, equal ones, too."""
    generator = np.random.default_rng(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            some = 0.5 if layer.in_channels == 1 else 0.04  # few, or five layers would outgrow float32's whole numbers
            signs = generator.choice([-1.0, 0.0, 1.0], layer.weight.shape, p=[some / 2, 1 - some, some / 2])
            layer.weight.data = torch.from_numpy(signs).float()
            layer.bias.data = torch.from_numpy(generator.integers(-1, 2, layer.bias.shape)).float()


def exported(graph: Graph, folder) -> Ask:
    write_graph(graph, folder)
    path = folder / graph.name / "1" / "model.onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def ask(picture, layer, feature, *, strongest_only=False):
        rows = {name: np.array([numbers], np.int32) for name, numbers in (("layer", layer), ("feature", feature))}
        given = {"picture": picture[None], **rows, "strongest_only": np.array([[strongest_only]], np.int32)}
        return dict(zip([spec.name for spec in graph.outputs], session.run(None, given), strict=True))

    return ask


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    torch.manual_seed(0)
    network = Tagger(3).eval().requires_grad_(requires_grad=False)
    whole_numbers(network)
    return network


@pytest.fixture(scope="module")
def detector() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, CLIP_SHAPE).astype(np.float32)


@pytest.fixture(scope="module")
def excerpt() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((115, 80)).astype(np.float32)


@pytest.fixture(scope="module")
def there_tagger(tagger, clip) -> list[Passed]:
    return way_there(tagger.stages(), clip)


@pytest.fixture(scope="module")
def there_detector(detector, excerpt) -> list[Passed]:
    return way_there(detector.convolutional_stages(), excerpt)


@pytest.fixture(scope="module")
def ask_tagger(tagger, tmp_path_factory) -> Ask:
    return exported(tagger_pictures_graph(tagger, ("ballad", "dance", "hip-hop")), tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def ask_detector(detector, tmp_path_factory) -> Ask:
    return exported(detector_pictures_graph(detector), tmp_path_factory.mktemp("detector"))


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    assert np.abs(expected).max() > 0
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("whole", [True, False], ids=["whole map", "largest activation"])
@pytest.mark.parametrize("layer", TAGGER_LAYERS)
def test_every_layer_of_the_tagger_is_deconvolved_as_defined(ask_tagger, clip, there_tagger, layer, whole):
    depth = TAGGER_LAYERS.index(layer)
    found = ask_tagger(clip, [depth, depth], [-1, -5], strongest_only=not whole)
    for feature, heard in zip(found["chosen"][0], found["heard"][0], strict=True):
        assert relative(heard, way_back(there_tagger, layer, feature, whole=whole)) < 1e-5


@pytest.mark.parametrize("whole", [True, False], ids=["whole map", "largest activation"])
@pytest.mark.parametrize("layer", DETECTOR_LAYERS)
def test_every_layer_of_the_detector_is_deconvolved_leakily(ask_detector, excerpt, there_detector, layer, whole):
    depth = DETECTOR_LAYERS.index(layer)
    found = ask_detector(excerpt, [depth, depth], [1, 30], strongest_only=not whole)
    for feature, heard in zip([1, 30], found["heard"][0], strict=True):
        expected = way_back(there_detector, layer, feature, whole=whole)
        # Of thirty thousand maxima some are all but tied: rounding may put one a bin further, for a few bins of all.
        assert relative(heard, expected) < 0.05
        assert_nearly_close(heard, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)


def test_features_of_several_layers_do_not_touch_each_other(ask_tagger, clip):
    layers, features = [0, 4, 2, 2], [-1, -1, -2, -1]
    together = ask_tagger(clip, layers, features)
    for row, (layer, feature) in enumerate(zip(layers, features, strict=True)):
        alone = ask_tagger(clip, [layer], [feature])
        assert alone["chosen"][0, 0] == together["chosen"][0, row]
        np.testing.assert_allclose(alone["heard"][0, 0], together["heard"][0, row], rtol=1e-5, atol=1e-3)


def test_the_strongest_are_those_with_the_largest_mean_activation(ask_detector, excerpt, there_detector):
    means = np.abs(there_detector[1].maps).mean(axis=(1, 2))  # the narrowest layer: the others have more features
    found = ask_detector(excerpt, [1] * 32, [-1 - rank for rank in range(32)])
    assert sorted(found["chosen"][0]) == list(range(32))
    for strength in (found["strength"][0], means[found["chosen"][0]]):  # means that rounding may swap are alike
        np.testing.assert_allclose(strength, np.sort(means)[::-1], rtol=1e-5)


def test_several_clips_and_features_come_back_in_one_pass(tagger, clip, there_tagger):
    found = Deconvnet(tagger.stages()).heard_by(torch.from_numpy(np.stack([0 * clip, clip])), "conv2", [3, 7, 3])
    assert found.shape == (2, 3, *CLIP_SHAPE)
    np.testing.assert_allclose(found[:, 0], found[:, 2], rtol=1e-5)
    np.testing.assert_allclose(found[1, 1], way_back(there_tagger, "conv2", 7), rtol=1e-5)


@pytest.mark.parametrize("shape", [(21, 33), (24, 30)], ids=["odd", "even"])
def test_the_large_first_kernels_of_2015_are_turned_round_too(shape):
    network = Tagger(3, "2015").eval().requires_grad_(requires_grad=False)
    whole_numbers(network)
    stages = network.stages()[:4]  # as deep as so small a picture reaches
    picture = np.random.default_rng(5).integers(0, 4, shape).astype(np.float32)
    found = Deconvnet(stages).heard_by(torch.from_numpy(picture)[None], "conv2", range(64))[0]
    there = way_there(stages, picture)
    for feature in range(0, 64, 9):
        np.testing.assert_allclose(found[feature], way_back(there, "conv2", feature), rtol=1e-5, atol=1e-3)


def test_a_convolution_without_a_pool_is_kept_as_it_is():
    convolution = nn.Conv2d(1, 2, 3)
    (alone,) = levels([Convolution("conv1", convolution)])
    (followed,) = levels([Convolution("conv1", convolution), Pooling("mp1", 3)])
    assert (alone.pool, followed.pool) == (1, 3)
