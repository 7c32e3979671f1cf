"""`Client.explain_track`, with threads and with asyncio, against the real service."""

from __future__ import annotations

import asyncio
import inspect

import numpy as np
import pytest
from phonoscope_client import Client, InvalidInputError, aio
from phonoscope_client.results.track import CurvePiece, TrackBegun, TrackExplanation, TrackSummary

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def track(client, song):
    return client.explain_track(song, every_s=1.5, trust="full", minimum_s=0.3, spectrogram=True, maps=True).collect()


def test_a_track_has_the_curve_and_the_segments_that_predict_answers(client, song, track):
    curve = client.predict(song, minimum_s=0.3)
    np.testing.assert_allclose(track.probability, curve.probability, atol=1e-5)
    places = [(each.start_s, each.end_s, each.label) for each in track.summary.segments]
    assert places == [(each.start_s, each.end_s, each.label) for each in curve.segments]
    assert track.log_mel.shape == (len(track.probability), 80)


def test_its_explanations_are_those_of_explain(client, song, track):
    assert [each.at_s for each in track.explanations] == pytest.approx([0, 1.5, 3, 4.5, 6, 7.5], abs=0.5 / 70)
    for each in track.explanations[1:3]:
        own = client.explain(song, each.at_s, listen=False, control_seed=each.trust.control_seed)
        assert each.label == own.label
        assert each.probability == pytest.approx(own.probability, abs=1e-4)
        assert (each.mask != own.mask).sum() <= 2
        np.testing.assert_allclose(each.relevance, own.relevance, atol=1e-4)
        assert each.trust.masked_probability == pytest.approx(own.trust.masked_probability, abs=1e-4)
        assert each.trust.carried.probabilities[0] == pytest.approx(own.trust.carried.probabilities[0], abs=1e-3)


def test_parts_come_in_order_and_progress_is_told(client, song):
    told = []
    with client.explain_track(song, every_s=2, on_progress=told.append) as stream:
        kinds = [type(part) for part in stream]
    assert (kinds[0], kinds[-1]) == (TrackBegun, TrackSummary)
    assert set(kinds[1:-1]) == {CurvePiece, TrackExplanation}
    assert told[-1].heard_s == pytest.approx(told[-1].duration_s, abs=0.1)
    assert told[-1].explained == kinds.count(TrackExplanation) == 4


def test_samples_files_and_chunks_are_heard_alike(client, song, tone):
    content = song.read_bytes()
    heard = [
        client.explain_track(audio).collect().probability
        for audio in (song, content, (tone, 22050), [content[:1000], content[1000:]])
    ]
    for each in heard[1:]:
        np.testing.assert_allclose(each, heard[0], atol=1e-3)


def test_chunks_of_a_file_that_says_its_size_are_read_as_the_file_is(client, song):
    content = song.read_bytes()
    whole, known, unknown = (
        client.explain_track(audio, size_bytes=size).collect().begun.duration_s
        for audio, size in ((song, None), ([content], len(content)), ([content], None))
    )
    assert whole == known
    assert unknown is None


@pytest.mark.parametrize(("chunks", "size_bytes"), [(False, 10), (True, 0), (True, 1.5), (True, "x")])
def test_a_size_is_for_chunks_and_a_whole_number(client, song, chunks, size_bytes):
    with pytest.raises(InvalidInputError, match="size_bytes"):
        client.explain_track([song.read_bytes()] if chunks else song, size_bytes=size_bytes)


def test_whoever_leaves_early_or_raises_ends_the_call(client, song):
    def broken(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        client.explain_track(song, on_progress=broken).collect()
    with client.explain_track(song, every_s=0.1) as stream:
        next(stream)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"every_s": 0.001}, "every_s"),
        ({"every_s": -1}, "every_s"),
        ({"most_certain": 101}, "most_certain"),
        ({"trust": "blind"}, "trust"),
        ({"median_filter_s": 11}, "median_filter_s"),
        ({"threshold": 1.0}, "threshold"),
        ({"at_s": [1.0, -1.0]}, "at_s"),
        ({"where_label": "noise"}, "where_label"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"rule": "guess"}, "rule"),
    ],
)
def test_arguments_of_no_use_are_refused_by_name(client, song, arguments, said):
    with pytest.raises(InvalidInputError, match=said):
        client.explain_track(song, **arguments).collect()


def test_sound_of_no_use_is_refused(client, tmp_path):
    for audio in (b"", tmp_path / "none.wav", b"noise" * 500, [b"noise" * 500], [b"RIFF", 7], 5):
        with pytest.raises(InvalidInputError, match=r"audio|chunk"):
            client.explain_track(audio).collect()


@pytest.mark.parametrize(("label", "contrast"), [(None, None), ("hiphop", None), ("hiphop", "ballad")])
def test_a_track_is_heard_by_any_listener_about_any_label(client, song, label, contrast):
    asked = {"listener": "tagger", "label": label, "contrast": contrast}
    track = client.explain_track(song, every_s=3, at_s=[4.2], spectrogram=True, maps=True, **asked).collect()
    curve, begun = client.predict(song, listener="tagger", label=label, contrast=contrast, minimum_s=0), track.begun
    assert (begun.listener, begun.label, begun.contrast) == ("tagger", label, contrast)
    assert (track.curve.label, begun.labels) == (curve.label, tuple(curve.labels))
    np.testing.assert_allclose(track.curve.probability, curve.probability, atol=1e-4)
    np.testing.assert_allclose(track.label_probability, curve.label_probability, atol=1e-4)
    assert begun.frames_per_second == curve.frames_per_second < begun.map_frames_per_second
    assert len(track.log_mel) == pytest.approx(len(curve.probability) * 43, abs=43)
    assert [each.label for each in track.summary.segments] == [each.label for each in curve.segments]
    for each in track.explanations[1:3]:
        own = client.explain(song, each.at_s, listen=False, control_seed=each.trust.control_seed, **asked)
        assert (each.label, each.predicted) == (own.label, own.predicted)
        assert each.labels[each.label].probability == each.probability == pytest.approx(own.probability, abs=1e-4)
        np.testing.assert_allclose(each.relevance, own.relevance, atol=2e-3)  # the song was resampled in other pieces


def test_a_listener_nobody_knows_and_a_label_it_does_not_have_are_refused(client, song):
    for asked in ({"listener": "another"}, {"listener": "tagger", "label": "vocal"}, {"label": "hiphop"}):
        with pytest.raises(InvalidInputError, match=list(asked)[-1]):
            client.explain_track(song, **asked).collect()
    with pytest.raises(InvalidInputError, match="contrast"):
        client.explain_track(song, listener="tagger", contrast="hiphop").collect()
    with pytest.raises(InvalidInputError, match="where_label"):
        client.explain_track(song, listener="tagger", where_label="vocal").collect()


def test_both_clients_ask_the_same():
    names = [name for name, each in vars(Client).items() if not name.startswith("_") and callable(each)]
    assert names == [name for name, each in vars(aio.Client).items() if not name.startswith("_") and callable(each)]
    for name in set(names) - {"close"}:
        sync, later = getattr(Client, name), getattr(aio.Client, name)
        assert inspect.signature(sync) == inspect.signature(later)
        assert sync.__doc__ == later.__doc__
        assert "self" in inspect.signature(sync).parameters


def test_asyncio_has_the_same_answers(service_address, client, song, track):
    async def ask():
        async with aio.Client(service_address, timeout_s=600) as asking:
            mine, own, curve, bundle = await asyncio.gather(
                asking.explain_track(song, every_s=1.5, trust="full", minimum_s=0.3).collect(),
                asking.explain(song, 3.0, listen=False),
                asking.predict(song),
                asking.describe(),
            )
            with pytest.raises(InvalidInputError, match="chunk"):
                await asking.explain_track([b"RIFF", 7]).collect()
            with pytest.raises(InvalidInputError, match="rule"):
                await asking.explain(song, 3.0, rule="guess")
            async with asking.explain_track(song) as stream:
                assert isinstance(await anext(stream), TrackBegun)
            return mine, own, curve, bundle

    mine, own, curve, bundle = asyncio.run(ask())
    np.testing.assert_allclose(mine.probability, track.probability, atol=1e-5)
    assert [each.at_s for each in mine.explanations] == [each.at_s for each in track.explanations]
    assert own.at_s == pytest.approx(3, abs=0.5 / 70)
    np.testing.assert_allclose(curve.probability, track.probability, atol=1e-5)
    assert bundle.name == mine.begun.bundle.name
