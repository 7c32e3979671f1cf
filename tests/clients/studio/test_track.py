"""What is said along a song, against what the Python client is told of the same."""

import numpy as np
import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def known(client, song):
    return client.explain_track(song, trust="none", spectrogram=True, median_filter_s=0.8).collect()


def of_kind(parts, kind):
    return [part for part in parts if part["kind"] == kind]


def test_the_curve_comes_in_order_and_is_the_services_own(heard, known):
    assert heard[0]["kind"] == "start"
    assert heard[-1]["kind"] == "end"
    assert heard[-1]["complete"]
    begun, pieces = heard[0], of_kind(heard, "curve")
    assert begun["frames_per_second"] == known.begun.frames_per_second
    assert begun["mel_hz"] == pytest.approx(known.begun.band_centre_hz.tolist(), abs=0.01)
    assert begun["labels"] == ["vocal", "instrumental"]
    assert [piece["first_frame"] for piece in pieces] == np.cumsum([0, *(len(p["probability"]) for p in pieces)])[
        :-1
    ].tolist()
    said = np.concatenate([piece["probability"] for piece in pieces])
    np.testing.assert_allclose(said, known.probability, atol=1e-3)


def test_segments_come_along_the_way_and_are_the_services_own(heard, known):
    told = of_kind(heard, "segment")
    assert [(each["start_s"], each["end_s"], each["label"]) for each in told] == [
        (pytest.approx(each.start_s, abs=1e-3), pytest.approx(each.end_s, abs=1e-3), each.label)
        for each in known.summary.segments
    ]
    assert [each["confidence"] for each in told] == pytest.approx(
        [each.mean_confidence for each in known.summary.segments], abs=0.01
    )


def test_tiles_are_the_models_own_log_mel_to_half_a_decibel(visitor, number, heard, known):
    bands = heard[0]["mels"]
    count = -(-len(known.log_mel) // 256)
    tiles = [visitor.get(f"/api/songs/{number}/tiles/{each}").body for each in range(count)]
    shown = np.frombuffer(b"".join(tiles), np.uint8).reshape(-1, bands)
    assert shown.shape == known.log_mel.shape
    below_db = (known.log_mel.max() - known.log_mel) * 20 / np.log(10)
    np.testing.assert_allclose(shown, 255 * np.clip(1 - below_db / 70, 0, 1), atol=2.6)


def test_a_column_of_a_halved_tile_is_the_loudest_of_its_frames(visitor, number, heard, known):
    bands, step = heard[0]["mels"], 4
    count = -(-len(known.log_mel) // 256)
    tiles = [visitor.get(f"/api/songs/{number}/tiles/{each}").body for each in range(count)]
    frames = np.frombuffer(b"".join(tiles), np.uint8).reshape(-1, bands)
    (halved,) = [visitor.get(f"/api/songs/{number}/tiles/{each}?halvings=2").body for each in range(-(-count // step))]
    loudest = [frames[first : first + step].max(axis=0) for first in range(0, len(frames), step)]
    assert np.frombuffer(halved, np.uint8).reshape(-1, bands).tolist() == np.stack(loudest).tolist()
    for halvings in ("9", "-1", "x"):
        assert visitor.get(f"/api/songs/{number}/tiles/0?halvings={halvings}").status == 404


def test_of_what_is_yet_to_be_heard_it_is_said_when_to_ask_again(visitor, number, heard):
    answer = visitor.get(f"/api/songs/{number}/tiles/1000")
    assert answer.status == 404
    assert answer.error["retry_after_s"] > 0


def test_who_follows_later_is_told_all(visitor, number, heard):
    assert visitor.lines(f"/api/songs/{number}/track") == heard


def test_another_listeners_curve_lies_on_the_same_frames(visitor, number, heard, client, song):
    parts = visitor.lines(f"/api/songs/{number}/track?listener=tagger&label=dance")
    curve = client.predict(song, listener="tagger", label="dance")
    (piece,) = of_kind(parts, "curve")
    assert parts[0]["label"] == "dance"
    assert {**parts[0], **{name: heard[0][name] for name in ("threshold", "label", "labels")}} == heard[0]
    assert len(piece["probability"]) == heard[0]["frames"]
    assert piece["probability"][0] == pytest.approx(float(curve.probability[0]), abs=1e-3)
    labels = [each["label"] for each in of_kind(parts, "segment")]
    assert labels
    assert set(labels) <= set(map(str, curve.labels))


def test_a_listener_that_is_not_there_is_told_on_the_way(visitor, number):
    parts = visitor.lines(f"/api/songs/{number}/track?listener=nobody")
    assert parts[-1]["kind"] == "error"
    assert "nobody" in parts[-1]["message"]
