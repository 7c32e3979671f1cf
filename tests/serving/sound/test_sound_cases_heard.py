"""What sound itself tells: a band that is missing, channels that cancel, peaks cut off, another scale."""

import numpy as np
import pytest
import soxr
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.opening import open_recording
from phonoscope_serving.sound.resampling import section, whole
from support.corpora.sound import encoded, music
from support.corpora.sound_files import coded, delay, heard, kinds, made, opened, song, wav

RATE_HZ = 22050


def from_samples(samples, rate_hz=RATE_HZ):
    """Plain samples `[N]` or `[N, C]`, opened."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    return open_recording(PcmAudio(np.ascontiguousarray(samples, "<f4").tobytes(), rate_hz, channels))


@pytest.mark.parametrize("low_hz", [8000, 11025])
@pytest.mark.parametrize("as_file", ["low rate", "WAV", "MP3", "OGG", "FLAC", "samples"])
def test_a_band_cut_off_is_found_in_the_sound(low_hz, as_file):
    low = soxr.resample(song(12), RATE_HZ, low_hz)
    if as_file == "low rate":
        recording = opened(wav(low, low_hz))
    elif as_file == "samples":
        recording = from_samples(soxr.resample(low, low_hz, 44100), 44100)
    else:
        recording = opened(encoded(soxr.resample(low, low_hz, RATE_HZ), RATE_HZ, as_file))
    (warning,) = recording.warnings
    assert warning.kind.name == "NARROW_BAND"
    edge_khz = float(warning.sentence.split("above ")[1].split(" kHz")[0])
    assert edge_khz == pytest.approx(low_hz / 2000, rel=0.1)


def test_a_band_that_reaches_as_far_as_the_detector_listens_is_no_warning():
    assert not from_samples(song(12)).warnings
    assert not opened(encoded(soxr.resample(song(12), RATE_HZ, 16000), 16000, "FLAC")).warnings


def test_a_hole_in_a_spectrum_is_no_edge_of_a_band():
    """What is loud again further up was not cut off."""
    noise = np.random.default_rng(0).normal(0, 0.1, 12 * RATE_HZ)
    assert not from_samples(band(noise, 40, 3000) + band(noise, 6000, 10000)).warnings
    assert not from_samples(band(noise, 40, 7400)).warnings
    assert kinds(from_samples(band(noise, 40, 3000))) == {"NARROW_BAND"}


def band(samples, low_hz, high_hz):
    """Samples with everything outside a band taken away."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return np.fft.irfft(spectrum * ((hz >= low_hz) & (hz < high_hz)), len(samples)).astype(np.float32)


@pytest.fixture(scope="module")
def stereo():
    """Music, and a voice that is as loud in its own band, inverted in the right channel."""
    rng = np.random.default_rng(0)
    voice = 0.3 * band(rng.normal(0, 1, 12 * RATE_HZ), 400, 2500)
    accompaniment = 0.3 * (
        band(rng.normal(0, 1, 12 * RATE_HZ), 40, 400) + band(rng.normal(0, 1, 12 * RATE_HZ), 2500, 9000)
    )
    return voice, accompaniment, np.stack([accompaniment + voice, accompaniment - voice], axis=1)


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44100])
def test_a_voice_inverted_between_the_channels_is_heard(stereo, rate_hz):
    voice, accompaniment, frames = stereo
    recording = from_samples(soxr.resample(frames, RATE_HZ, rate_hz), rate_hz)
    assert kinds(recording) == {"CANCELLING_CHANNELS"}
    mixed = whole(recording, RATE_HZ)
    middle = slice(RATE_HZ, -RATE_HZ)
    for low_hz, high_hz, expected in ((450, 2400, voice), (100, 380, accompaniment), (2600, 8000, accompaniment)):
        found, gone_in = band(mixed, low_hz, high_hz)[middle], band(expected, low_hz, high_hz)[middle]
        assert np.std(found) == pytest.approx(np.std(gone_in), rel=0.05)


@pytest.mark.parametrize("container", ["WAV", "OGG", "MP3"])
def test_any_section_of_channels_that_cancel_is_what_the_whole_is_there(stereo, container):
    content = encoded(stereo[2], RATE_HZ, container)
    recording, samples = heard(content)
    assert "CANCELLING_CHANNELS" in kinds(recording)
    for start in (0, 1, 54321, len(samples) - 3000):
        part = section(opened(content), RATE_HZ, start, 3000)
        np.testing.assert_allclose(part, samples[start : start + 3000], atol=2e-6)


def test_one_channel_inverted_is_heard():
    samples = song(8)
    mixed = whole(from_samples(np.stack([samples, -samples], axis=1)), RATE_HZ)
    middle = slice(RATE_HZ, -RATE_HZ)
    assert np.std(band(mixed, 150, 9000)[middle]) == pytest.approx(np.std(band(samples, 150, 9000)[middle]), rel=0.05)


@pytest.mark.parametrize("right", [0.0, 0.5, 1.0])
def test_channels_that_agree_or_have_nothing_to_do_with_each_other_are_averaged(right):
    frames = np.stack([song(8), right * song(8) + 0.3 * song(8, 20)], axis=1)
    recording = from_samples(frames)
    assert not recording.warnings
    np.testing.assert_allclose(whole(recording, RATE_HZ), frames.mean(axis=1), atol=1e-7)


def test_surround_sound_is_folded_down_as_the_itu_says():
    """ITU-R BS.775: the centre whole, left and right at -3 dB, surrounds at -6 dB, no effects channel."""
    front_left, front_right, centre, effects, back_left, back_right = frames = np.random.default_rng(0).normal(
        0, 0.1, (6, 9000)
    )
    expected = 0.7071 * (front_left + front_right) + centre + 0.5 * (back_left + back_right)
    expected /= 2 * 0.7071 + 1 + 2 * 0.5
    np.testing.assert_allclose(whole(from_samples(frames.T), RATE_HZ), expected, atol=1e-6)
    assert effects.any()
    for container in ("WAV", "WAVEX", "FLAC"):
        mixed = whole(
            opened(encoded(frames.T, RATE_HZ, container, "PCM_24" if container != "WAV" else "FLOAT")), RATE_HZ
        )
        np.testing.assert_allclose(mixed, expected, atol=1e-6)


@pytest.mark.parametrize(("container", "codec"), [("ogg", "libopus"), ("ipod", "aac"), ("matroska", "ac3")])
def test_the_centre_of_surround_sound_is_heard_whatever_the_codec_calls_it(container, codec):
    frames = np.zeros((6, 4 * 48000), np.float32)
    frames[2] = 0.5 * music(4, 48000)
    _, samples = heard(coded(frames, 48000, container, codec, "5.1"))
    assert delay(samples, frames[2])[1] > 0.95
    assert np.std(samples) == pytest.approx(np.std(frames[2]) / (2 * 0.7071 + 2), rel=0.1)


@pytest.mark.parametrize("channels", [3, 4, 5, 7, 12, 32])
def test_channels_of_which_nothing_is_known_are_averaged(channels):
    frames = np.random.default_rng(0).normal(0, 0.1, (9000, channels))
    np.testing.assert_allclose(whole(from_samples(frames), RATE_HZ), frames.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "cause"),
    [
        (np.round(song(4) * 900), "integers"),  # 16 bits, softly played
        (128 + np.round(song(4) * 100), "integers"),  # unsigned bytes
        (song(4) + 2.5, "all lie above 1"),
        (song(4, 20) * 100, "far beyond full scale"),
    ],
    ids=["16 bits", "bytes", "above 1", "too loud"],
)
def test_samples_on_another_scale_are_said(samples, cause):
    (warning,) = (w for w in from_samples(samples).warnings if w.kind.name == "UNUSUAL_SCALE")
    assert cause in warning.sentence
    (warning,) = (
        w for w in opened(encoded(samples, RATE_HZ, "WAV", "FLOAT")).warnings if w.kind.name == "UNUSUAL_SCALE"
    )
    assert cause in warning.sentence


@pytest.mark.parametrize("times", [1.0, 3.0])
def test_samples_a_little_beyond_full_scale_are_no_warning(times):
    samples = song(4)
    assert "UNUSUAL_SCALE" not in kinds(from_samples(samples / np.abs(samples).max() * times))


def test_peaks_cut_off_are_said():
    loud = np.clip(song(8) / np.abs(song(8)).max() * 6, -1, 1)
    assert kinds(from_samples(loud)) == {"CLIPPED"}
    assert not kinds(from_samples(song(8) / np.abs(song(8)).max()))


def test_one_moment_is_told_what_the_whole_is():
    """Whoever asks for a section only hears the same of the recording as whoever asks for all of it."""
    content = wav(soxr.resample(song(12), RATE_HZ, 8000), 8000)
    recording = opened(content)
    before = recording.warnings
    list(recording.blocks(1000, 3000))
    assert recording.warnings == before == opened(content).warnings
    assert heard(content)[0].warnings == before


def test_a_stereo_song_made_by_programs_cancels_where_one_side_is_inverted(tmp_path):
    content = made("sox {song} {out}.wav remix 1v0.5 1v-0.5", tmp_path, song=wav(song(8)))
    assert "CANCELLING_CHANNELS" in kinds(opened(content))
