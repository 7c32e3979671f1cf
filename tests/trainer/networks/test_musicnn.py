"""musicnn's checkpoint read with NumPy alone, and its network in torch against its definition in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.packages import package_files
from phonoscope_trainer.errors import CheckpointError, CorpusError
from phonoscope_trainer.experiments.adopted import reference
from phonoscope_trainer.export.adoption.musicnn import INSIDE, MUSICNN_FRONTEND, NAME, VERSION
from phonoscope_trainer.frontends.parametric import Bands, Picture
from phonoscope_trainer.networks.musicnn import LAYERS, TAGS, LeanMusicnn, musicnn_of, read_arrays
from phonoscope_trainer.networks.tensorflow_checkpoint import read_checkpoint


@pytest.fixture(scope="module")
def arrays():
    try:
        return read_arrays(package_files(NAME, VERSION, INSIDE))
    except CorpusError as error:
        pytest.skip(f"musicnn's wheel cannot be fetched here: {error}")


@pytest.fixture(scope="module")
def samples():
    rng, t = np.random.default_rng(0), np.arange(512 + 186 * 256) / 16_000
    tones = sum(np.sin(2 * np.pi * hz * t * (1 + 0.01 * np.sin(9 * t))) for hz in (196, 392, 587, 1760))
    return (0.1 * tones + 0.01 * rng.standard_normal(len(t))).astype(np.float32)


def test_the_checkpoint_has_as_many_parameters_as_are_published(arrays):
    assert sum(value.size for value in arrays.values()) == 607_030
    assert arrays["1CNN/kernel"].shape == (3, 3, 1, 128)
    assert len(TAGS) == arrays["dense/kernel"].shape[1] == 50


def test_the_network_is_that_of_the_definition_from_sound_on(arrays, samples):
    network = musicnn_of(arrays)
    with torch.no_grad():
        picture = Picture(MUSICNN_FRONTEND)(Bands(MUSICNN_FRONTEND)(torch.from_numpy(samples)[None]))
        found = torch.sigmoid(network(picture))[0].numpy()
    np.testing.assert_allclose(found, reference.tags(samples, arrays), atol=1e-4)
    assert 0.01 < found.max() < 0.99


def test_the_first_pool_overlaps_in_time_and_leaves_out_every_other_band(arrays, samples):
    found = musicnn_of(arrays).activations(torch.from_numpy(reference.frontend(samples)).float()[None])
    shapes = {name: tuple(found[name].shape[1:]) for name in LAYERS}
    assert shapes["pool1"] == (128, 92, 48)
    assert shapes["pool5"] == (128, 2, 1)


def test_without_its_dead_filters_it_answers_the_same(arrays, samples):
    network = musicnn_of(arrays)
    picture = torch.from_numpy(reference.frontend(samples)).float()[None]
    lean = LeanMusicnn(network)
    assert lean.get_buffer("weight2").shape[0] < 128
    torch.testing.assert_close(lean(picture), network(picture), atol=1e-4, rtol=1e-4)


def varint(number):
    found = bytearray()
    while number >= 128:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def written(folder, arrays):
    """A checkpoint by its definition: one block of entries, an index block, a footer."""
    data, block, before = b"", b"", b""
    for name in sorted(arrays):
        value = np.asarray(arrays[name], "<f4")
        dims = b"".join(b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(size) for size in value.shape))
        entry = (
            b"\x08\x01\x12" + varint(len(dims)) + dims + b"\x20" + varint(len(data)) + b"\x28" + varint(value.nbytes)
        )
        key, shared = name.encode(), 0
        while shared < min(len(before), len(key)) and before[shared] == key[shared]:
            shared += 1
        block += varint(shared) + varint(len(key) - shared) + varint(len(entry)) + key[shared:] + entry
        data, before = data + value.tobytes(), key
    end = (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
    block += end
    handle = varint(0) + varint(len(block))
    index = b"\x00\x01" + varint(len(handle)) + b"z" + handle + end
    table = block + bytes(5) + index + bytes(5)
    footer = varint(0) + varint(0) + varint(len(block) + 5) + varint(len(index))
    magic = bytes.fromhex("57fb808b247547db")
    (folder / ".index").write_bytes(table + footer.ljust(40, b"\x00") + magic)
    (folder / ".data-00000-of-00001").write_bytes(data)


def test_arrays_of_a_checkpoint_are_read_by_their_names(tmp_path):
    rng = np.random.default_rng(1)
    given = {"conv/bias": rng.random(3), "conv/kernel": rng.random((2, 3, 4)), "dense": rng.random(200)}
    written(tmp_path, given)
    found = read_checkpoint(tmp_path)
    assert found.keys() == given.keys()
    for name, value in given.items():
        np.testing.assert_array_equal(found[name], value.astype(np.float32))


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: raw[:30], lambda _: b""])
def test_what_is_no_checkpoint_is_refused(tmp_path, damage):
    written(tmp_path, {"dense": np.ones(5)})
    index = tmp_path / ".index"
    index.write_bytes(damage(index.read_bytes()))
    with pytest.raises(CheckpointError, match="no TensorFlow checkpoint"):
        read_checkpoint(tmp_path)
