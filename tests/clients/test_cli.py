"""The `phonoscope` command."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from phonoscope_client import Curve, Explanation, Inversions
from phonoscope_client.cli import get_parser, main
from phonoscope_client.commands.song_options import seconds

TRUST_FIELDS = {
    "relative_area",
    "label_kept",
    "masked_probability",
    "removed_probability",
    "removal_flips_label",
    "control_probabilities",
    "controls_that_keep_label",
    "control_seed",
    "heard_controls_keep_label",
    "carried_heard_label_kept",
    "silhouette_heard_label_kept",
    "reconstruction_error",
    "reconstruction_percentile",
    "out_of_distribution",
    "doubt",
    "evidence",
    "carried",
    "silhouette",
    "removed",
    "controls",
    "carried_over_silhouette",
    "carried_heard_probability",
    "silhouette_heard_probability",
    "heard_probability",
    "heard_label_kept",
    "heard_control_probabilities",
    "heard_control_label_kept",
}
EXCHANGED_SOUNDS = ("carried.wav", "silhouette.wav")


def exchanges(document):
    """Whether the bundle that answered has other music."""
    return document["trust"]["evidence"] == "full"


@pytest.mark.parametrize(
    ("text", "time_s"), [("34", 34), ("34.5", 34.5), ("0", 0), ("1:02.5", 62.5), ("12:7", 727), ("90:00", 5400)]
)
def test_a_moment_is_seconds_or_minutes_and_seconds(text, time_s):
    assert seconds(text) == time_s


@pytest.mark.parametrize("text", ["", "-1", "abc", "1:75", "1:2:3", "nan", "1e3", "1:", ":5", "3s"])
def test_what_is_not_a_moment_is_a_usage_error(text, capsys):
    with pytest.raises(SystemExit) as exited:
        main(["explain", "song.wav", f"--at={text}"])
    assert exited.value.code == 2
    assert "is not a time; write 34.5 or 1:02.5" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["explain", "song.wav"],
        ["explain", "song.wav", "--at", "3", "--alpha", "0.5", "--keep-label"],
        ["explain", "song.wav", "--at", "3", "--keep-label", "--max-area", "0.5"],
        ["explain", "song.wav", "--at", "3", "--masking", "m3"],
        ["invert", "song.wav"],
        ["invert", "song.wav", "--at", "3", "--layers", "fc8,,conv5"],
        ["invert", "song.wav", "--at", "3", "--layers", ""],
        ["auralise", "song.wav"],
        ["auralise", "song.wav", "--layer", "conv3", "--features", "1,seven"],
        ["auralise", "song.wav", "--layer", "conv3", "--features", "-1"],
        ["auralise", "song.wav", "--layer", "conv3", "--features", "1", "--strongest", "2"],
        ["predict"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert "usage: phonoscope" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["explain", "track", "invert", "auralise", "predict", "describe", "demo"])
def test_every_commands_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit) as exited:
        main([command, "--help"])
    assert exited.value.code == 0
    assert f"\n  phonoscope {command}" in capsys.readouterr().out


def test_the_options_of_an_explanation_are_parsed_as_written():
    options = get_parser().parse_args(["explain", "song.wav", "--at", "1:04", "--max-area", "0.2", "--masking", "m1"])
    assert (options.at_s, options.max_area, options.masking) == (64.0, 0.2, "m1")
    assert (options.alpha, options.keep_label, options.out, options.server) == (None, False, None, None)


@pytest.mark.parametrize(
    "command",
    [["predict"], ["track"], ["explain", "--at", "3"], ["invert", "--at", "3"]],
    ids=lambda command: command[0],
)
def test_a_missing_song_is_one_line_and_starts_nothing(command, tmp_path, capsys):
    missing = tmp_path / "missing.wav"
    assert main([command[0], str(missing), *command[1:]]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"phonoscope: audio: there is no file '{missing}'\n"


def test_a_service_nobody_runs_is_one_line(song, capsys):
    assert main(["predict", str(song), "--server", "127.0.0.1:1", "--quiet", "--timeout-s", "1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("phonoscope: ")
    assert error.count("\n") == 1


def test_an_unreadable_certificate_is_one_line(song, tmp_path, capsys):
    arguments = ["predict", str(song), "--server", "127.0.0.1:1", "--ca", str(tmp_path / "none.pem")]
    assert main(arguments) == 1
    assert "none.pem" in capsys.readouterr().err


@pytest.mark.e2e
class TestWithTheRealService:
    @pytest.fixture
    def run(self, service_address, capsys):
        def run(*arguments):
            assert main([*map(str, arguments), "--server", service_address]) == 0
            return capsys.readouterr()

        return run

    def test_explain_prints_the_summary_it_writes(self, run, song, tmp_path):
        output = run("explain", song, "--at", 4, "--out", tmp_path / "out", "--json")
        document = json.loads(output.out)
        assert document == json.loads((tmp_path / "out" / "summary.json").read_text())
        assert set(document) == {
            "song", "at_s", "label", "probability", "threshold", "rule", "alpha", "masking", "outside_db",
            "trust", "nearest", "warnings", "bundle", "files", "seconds_after_install",
            "listener", "contrast", "predicted", "labels", "log_odds",
        }  # fmt: skip
        assert set(document["trust"]) == TRUST_FIELDS
        assert isinstance(document["trust"]["label_kept"], bool)
        assert set(document["bundle"]) == {"name", "digest"}

    def test_explain_writes_a_report_sounds_and_arrays(self, run, song, tmp_path):
        document = json.loads(run("explain", song, "--at", 4, "--out", tmp_path, "--json").out)
        names = ["explanation.npz", "explanation.wav", "original.wav", "report.html", "summary.json"]
        names = sorted([*names, *EXCHANGED_SOUNDS]) if exchanges(document) else names
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        assert sorted(document["files"].values()) == [str(tmp_path / name) for name in names]
        explanation = Explanation.load(tmp_path / "explanation.npz")
        samples, rate_hz = soundfile.read(tmp_path / "explanation.wav", dtype="float32")
        assert rate_hz == explanation.explanation_audio.sample_rate_hz
        heard = explanation.explanation_audio.samples
        gain = float(samples @ heard / (heard @ heard))  # one for all sounds of the report, so that none is clipped
        assert gain <= 1 + 1e-3
        np.testing.assert_allclose(samples, gain * heard, atol=2 / 2**15)
        assert "a tone &amp; more.wav" in (tmp_path / "report.html").read_text()

    def test_explain_without_json_says_it_in_plain_words(self, run, song):
        output = run("explain", song, "--at", 4, "--evidence", "mean-fill")
        assert "a tone & more.wav at 4.00 s: " in output.out
        assert "Only the region kept" in output.out
        assert "Random region 1 kept" in output.out
        assert output.err == "phonoscope: explaining a tone & more.wav at 4.00 s ...\n"

    def test_quiet_is_quiet(self, run, song):
        assert run("explain", song, "--at", 4, "--quiet").err == ""

    def test_each_rule_for_the_region_reaches_the_service(self, run, song):
        assert json.loads(run("explain", song, "--at", 4, "--alpha", 0.3, "--json").out)["alpha"] == 0.3
        small = json.loads(run("explain", song, "--at", 4, "--max-area", 0.05, "--json").out)
        assert 0 < small["trust"]["relative_area"] <= 0.05
        kept = json.loads(run("explain", song, "--at", 4, "--keep-label", "--masking", "m1", "--json").out)
        assert kept["trust"]["label_kept"]
        assert kept["masking"] == "m1"

    def test_invert_writes_a_report_sounds_and_arrays_and_prints_its_summary(self, run, song, tmp_path):
        output = run("invert", song, "--at", 4, "--layers", "fc8,conv5", "--out", tmp_path, "--json")
        document = json.loads(output.out)
        assert document == json.loads((tmp_path / "summary.json").read_text())
        assert list(document["layers"]) == ["fc8", "conv5"]
        names = ["conv5.wav", "fc8.wav", "inversions.npz", "layers.html", "log-mel.wav", "original.wav", "summary.json"]
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        assert sorted(document["files"].values()) == [str(tmp_path / name) for name in names]
        inverted = Inversions.load(tmp_path / "inversions.npz")
        assert inverted.layers["fc8"].reconstruction_error == document["layers"]["fc8"]["reconstruction_error"]
        samples, rate_hz = soundfile.read(tmp_path / "fc8.wav", dtype="float32")
        assert (len(samples), rate_hz) == (36934, 22050)
        assert "a tone &amp; more.wav" in (tmp_path / "layers.html").read_text()
        assert output.err == "phonoscope: inverting fc8, conv5 for a tone & more.wav at 4.00 s ...\n"

    def test_invert_without_a_folder_lists_every_layers_error(self, run, song):
        output = run("invert", song, "--at", 4)
        rows = re.findall(r"^  (\w+) +(\d\.\d{3})  above .* of validation excerpts", output.out, flags=re.MULTILINE)
        assert [name for name, _ in rows] == ["conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8"]

    def test_a_layer_there_is_not_is_one_line(self, service_address, song, capsys):
        arguments = ["invert", str(song), "--at", "4", "--layers", "fc8,fc9", "--server", service_address, "--quiet"]
        assert main(arguments) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "layers[1]: is 'fc9'; the bundle inverts conv1" in error

    def test_predict_prints_the_curve_of_the_whole_song(self, run, song, tmp_path):
        document = json.loads(run("predict", song, "--out", tmp_path, "--json").out)
        assert set(document) == {
            "song", "frames_per_second", "threshold", "probability", "warnings", "bundle", "vocal_share", "files",
            "listener", "label", "contrast",
        }  # fmt: skip
        assert len(document["probability"]) == pytest.approx(8 * document["frames_per_second"], abs=4)
        saved = Curve.load(tmp_path / "curve.npz")
        np.testing.assert_array_equal(saved.probability, np.array(document["probability"], np.float32))
        assert "<h2>Probability of singing" in (tmp_path / "curve.html").read_text()

    def test_predict_without_json_says_where_somebody_sings(self, run, song):
        assert run("predict", song).out.startswith("a tone & more.wav: singing in ")

    def test_describe_lists_the_layers_and_the_data(self, run):
        text = run("describe").out
        assert "conv1   64 x 113 x 78   can be inverted" in text
        assert "trained on:" in text
        assert json.loads(run("describe", "--json").out)["layers"][0]["name"] == "conv1"

    def test_the_demo_says_how_long_it_took_and_what_to_open(self, run, song, tmp_path):
        output = run("demo", "--song", song, "--at", 4, "--out", tmp_path)
        assert output.out.endswith(f"open {tmp_path / 'report.html'}\n")
        summary = json.loads((tmp_path / "summary.json").read_text())
        assert summary["seconds_after_install"] > 0
        assert {"label", "probability", "trust", "bundle"} <= set(summary)

    def test_a_refusal_of_the_service_is_one_line(self, service_address, song, capsys):
        assert main(["explain", str(song), "--at", "99", "--server", service_address, "--quiet"]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "at_s" in error

    def test_without_a_server_the_command_starts_one_and_stops_it(self, song, tmp_path):
        repository = Path(__file__).resolve().parents[2] / "model_repository"
        done = subprocess.run(
            [sys.executable, "-m", "phonoscope_client.cli", "explain", str(song), "--at", "4", "--json"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PHONOSCOPE_MODEL_REPOSITORY": str(repository)},
        )
        assert done.returncode == 0, done.stderr
        assert "phonoscope: ready after" in done.stderr
        assert json.loads(done.stdout)["song"] == str(song)
