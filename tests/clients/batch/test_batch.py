"""`phonoscope batch` with a real service: what it leaves, and what it does when it is run again."""

import importlib.util
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from phonoscope_client.batch.parts import CatalogueFolder
from phonoscope_client.batch.schema import SCHEMA_VERSION, errors_schema, rows_schema
from phonoscope_client.cli import main
from phonoscope_client.errors import InvalidInputError
from phonoscope_client.results.parts import wav

DOCUMENT = Path(__file__).parents[3] / "docs" / "catalogues.md"
ASKED = ["--where", "every:1s", "--trust", "kept", "--quiet", "--json"]


@pytest.fixture(scope="module")
def music(tmp_path_factory, tone):
    folder = tmp_path_factory.mktemp("music")
    for number in range(4):
        (folder / f"{number}.wav").write_bytes(wav(tone[: 22050 * (2 + number)], 22050))
    (folder / "1.lab").write_text("0 1.5 sing\n1.5 3 nosing\n")
    (folder / "broken.mp3").write_bytes(b"no music at all" * 99)
    return folder


@pytest.fixture(scope="module")
def out(music, service_address, tmp_path_factory):
    out = tmp_path_factory.mktemp("catalogue") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out.parent)
        assert main(["batch", str(music), "--out", str(out), "--server", service_address, *ASKED]) == 3
    return out


def seen(terminal):
    """What comes next on a terminal; nothing once whoever wrote there has ended."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def rows_of(out):
    return [row for path in sorted(out.glob("parts/*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_the_document_names_every_column_and_the_version():
    said = DOCUMENT.read_text().partition("## The schema, version ")[2].partition("\n## ")[0]
    table = re.findall(r"^\| (`.*?) \|", said, re.MULTILINE)
    named = {name for cell in table for name in re.findall(r"`([a-z_]+)`", cell)}
    assert (said.partition("\n")[0], named) == (str(SCHEMA_VERSION), set(rows_schema([]).names))
    of_errors = said.partition("`errors.parquet` has ")[2]
    assert all(f"`{name}`" in of_errors for name in errors_schema([]).names)


class TestACatalogue:
    def test_every_file_is_one_row_or_one_error_and_the_counts_add_up(self, out):
        files = [row["file"] for row in rows_of(out) if row["kind"] == "file"]
        errors = pq.read_table(out / "errors.parquet").to_pylist()
        assert sorted(files) == ["0.wav", "1.wav", "2.wav", "3.wav"]
        (error,) = errors
        assert (error["file"], error["stage"], error["status"]) == ("broken.mp3", "answer", "INVALID_ARGUMENT")
        assert not error["retryable"]
        assert error["message"]
        said = json.loads((out / "_SUCCESS").read_text())
        assert (said["files"], said["answered"], said["errors"], said["rows"]) == (5, 4, 1, len(rows_of(out)))
        assert sum(part["rows"] for part in said["parts"]) == said["rows"]

    def test_the_schema_is_the_documented_one_in_plain_types(self, out):
        for path in out.glob("parts/*.parquet"):
            schema = pq.read_schema(path)
            assert schema.equals(rows_schema([]))
            assert schema.metadata[b"phonoscope.schema_version"] == str(SCHEMA_VERSION).encode()
            assert "extension" not in str(schema)
        assert pq.read_schema(out / "errors.parquet").equals(errors_schema([]))

    def test_every_row_names_what_answered(self, out, client):
        bundle = client.describe()
        for row in rows_of(out):
            assert (row["bundle"], row["bundle_digest"]) == (bundle.name, bundle.digest)
            assert (row["listener"], row["rule"], row["trust"]) == ("detector", "masker", "kept")

    def test_rows_say_what_the_service_says(self, out, client, music):
        track = client.explain_track(music / "2.wav", every_s=1.0, trust="kept", median_filter_s=0.8).collect()
        rows = [row for row in rows_of(out) if row["file"] == "2.wav"]
        (file,) = [row for row in rows if row["kind"] == "file"]
        np.testing.assert_allclose(file["curve"], track.probability, atol=1e-4)
        assert file["path"] == str(music / "2.wav")
        assert file["duration_s"] == pytest.approx(track.end_s)
        segments = [row for row in rows if row["kind"] == "segment"]
        assert [(row["start_s"], row["label"]) for row in segments] == [
            (each.start_s, each.label) for each in track.summary.segments
        ]
        explained = sorted((row for row in rows if row["kind"] == "explanation"), key=lambda row: row["at_s"])
        assert len(explained) == len(track.explanations) == file["explained"]
        for row, each in zip(explained, track.explanations, strict=True):
            shape = row["region_frames"], row["region_bands"]
            mask = np.unpackbits(np.frombuffer(row["region"], np.uint8), count=np.prod(shape)).reshape(shape)
            assert np.mean(mask.astype(bool) == each.mask) > 0.999
            assert row["holds"] == each.trust.holds
            assert row["probability"] == pytest.approx(each.probability, abs=1e-4)

    def test_what_was_expected_stands_beside_what_was_answered(self, out):
        rows = [row for row in rows_of(out) if row["file"] == "1.wav"]
        (file,) = [row for row in rows if row["kind"] == "file"]
        assert file["expected_label"] is None
        assert 0 <= file["agreement"] <= 1
        for row in (row for row in rows if row["kind"] == "explanation"):
            assert row["expected_label"] == ("vocal" if row["at_s"] < 1.5 else "instrumental")
            assert row["agreement"] == float(row["expected_label"] == row["label"])
        assert all(row["agreement"] is None for row in rows_of(out) if row["file"] == "0.wav")

    def test_any_listener_is_asked_about_any_label(self, music, service_address, tmp_path, client):
        asked = ["batch", str(music), "--out", str(tmp_path / "out"), "--listener", "tagger", "--label", "dance"]
        assert main([*asked, "--server", service_address, *ASKED]) == 3
        rows = rows_of(tmp_path / "out")
        assert {(row["listener"], row["rule"]) for row in rows} == {("tagger", "gradient")}
        assert {row["label"] for row in rows if row["kind"] == "explanation"} == {"dance"}
        assert {row["label"] for row in rows} <= {"ballad", "dance", "hiphop"}
        for row in (row for row in rows if row["kind"] == "file"):
            curve = client.predict(music / row["file"], listener="tagger", label="dance")
            assert row["curve_label"] == "dance"
            np.testing.assert_allclose(row["curve"], curve.probability, atol=1e-4)
            called = curve.labels[curve.label_probability.argmax(axis=1)]
            assert row["label"] in called
            assert row["confidence"] <= 1

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--listener", "nobody"], "--listener: there is no 'nobody'; the bundle has detector, tagger"),
            (["--listener", "tagger", "--label", "vocal"], "--label: there is no 'vocal'; tagger has ballad, dance"),
            (["--listener", "tagger", "--contrast", "dance"], "--label: is missing; tagger has ballad, dance, hiphop"),
        ],
    )
    def test_who_or_what_the_bundle_does_not_have_is_refused_once(
        self, music, service_address, tmp_path, capsys, arguments, said
    ):
        asked = ["batch", str(music), "--out", str(tmp_path / "out"), *arguments]
        assert main([*asked, "--server", service_address, *ASKED]) == 1
        assert said in capsys.readouterr().err

    def test_one_line_of_duckdb_or_pandas_reads_it(self, out):
        found = duckdb.sql(
            f"SELECT file, count(*) AS explained FROM '{out}/parts/*.parquet' WHERE kind = 'explanation' GROUP BY file"
        ).fetchall()
        frame = pd.read_parquet(out / "parts", filters=[("kind", "==", "explanation")])
        assert dict(found) == frame.groupby("file").size().to_dict()
        assert frame.groupby("label").holds.mean().between(0, 1).all()

    def test_run_again_it_asks_about_nothing(self, out, music, service_address, capsys):
        before = {path: path.stat().st_mtime_ns for path in out.glob("parts/*")}
        assert main(["batch", str(music), "--out", str(out), "--server", service_address, *ASKED]) == 3
        assert json.loads(capsys.readouterr().out)["asked_now"] == 0
        assert {path: path.stat().st_mtime_ns for path in out.glob("parts/*")} == before

    def test_a_terminal_shows_how_far_it_is_how_fast_until_when_and_what_failed(self, music, service_address, tmp_path):
        terminal, end = pty.openpty()
        termios.tcsetwinsize(end, (24, 120))
        asked = ["--server", service_address, "--ask", "curve"]
        command = [sys.executable, "-m", "phonoscope_client.cli", "batch", str(music), "--out", str(tmp_path), *asked]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end) as process:
            os.close(end)
            shown = b"".join(iter(lambda: seen(terminal), b"")).decode()
        os.close(terminal)
        assert process.returncode == 3
        drawn = re.findall(r"(\d)/5 \[\d\d:\d\d<([\d:]+), +[\d.]+(?: files/s|s/ files), (\d) errors\]", shown)
        assert drawn[-1] == ("5", "00:00", "1"), shown

    def test_another_question_is_refused(self, out, music, service_address, capsys, tmp_path):
        (tmp_path / "new.wav").write_bytes((music / "0.wav").read_bytes())
        asked = ["batch", str(tmp_path), "--out", str(out), "--server", service_address, "--where", "none", "--quiet"]
        assert main(asked) == 1
        assert "holds a catalogue of another settings" in capsys.readouterr().err
        assert main([*asked, "--no-resume"]) == 1
        assert "--no-resume" in capsys.readouterr().err


class TestWhatIsMissing:
    def test_new_files_and_mended_ones_are_asked_about(self, music, service_address, tmp_path, capsys):
        folder, out = tmp_path / "music", tmp_path / "out"
        folder.mkdir()
        (folder / "a.wav").write_bytes((music / "0.wav").read_bytes())
        (folder / "b.wav").write_bytes(b"RIFF")
        command = ["batch", str(folder), "--out", str(out), "--server", service_address, *ASKED, "--ask", "curve"]
        assert main(command) == 3
        (folder / "b.wav").write_bytes((music / "0.wav").read_bytes())
        (folder / "c.wav").write_bytes((music / "0.wav").read_bytes())
        capsys.readouterr()
        assert main(command) == 3
        assert json.loads(capsys.readouterr().out)["asked_now"] == 1
        assert main([*command, "--retry-errors"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["asked_now"], said["errors"], said["answered"], said["rows"]) == (1, 0, 3, 3)
        assert pq.read_table(out / "errors.parquet").num_rows == 0

    def test_a_missing_file_is_an_error_and_not_absent(self, music, service_address, tmp_path):
        manifest = tmp_path / "m.jsonl"
        manifest.write_text(
            json.dumps({"path": "gone.wav", "genre": "folk"})
            + "\n"
            + json.dumps({"path": str(music / "0.wav"), "moments": [0.5], "genre": "rock", "expected": "vocal"})
        )
        out = tmp_path / "out"
        asked = [each for each in ASKED if each not in ("--where", "every:1s")]
        assert main(["batch", str(manifest), "--out", str(out), "--server", service_address, *asked]) == 3
        (error,) = pq.read_table(out / "errors.parquet").to_pylist()
        assert (error["file"], error["stage"], error["manifest_genre"]) == ("gone.wav", "read", "folk")
        explained = [row for row in rows_of(out) if row["kind"] == "explanation"]
        assert [(row["at_s"], row["manifest_genre"]) for row in explained] == [(0.5, "rock")]


def command_of(music, out, address, *more):
    asked = ["--server", address, "--part-files", "1", *ASKED, *more]
    return [sys.executable, "-m", "phonoscope_client.cli", "batch", str(music), "--out", str(out), *asked]


@pytest.fixture(scope="module")
def many(music, tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    for number in range(12):
        (folder / f"{number:02}.wav").write_bytes((music / "3.wav").read_bytes())
    return folder


def wait_for_a_part(out, process, parts=1):
    while len(list(out.glob("parts/part-*"))) < parts and process.poll() is None:
        time.sleep(0.02)


class TestWhatEndsEarly:
    def test_killed_twice_and_run_again_every_file_is_there_once(self, many, service_address, tmp_path):
        out = tmp_path / "out"
        for parts in (1, 4):
            with subprocess.Popen(command_of(many, out, service_address), stdout=subprocess.PIPE) as process:
                wait_for_a_part(out, process, parts)
                process.kill()
            assert not (out / "_SUCCESS").exists()
        done = subprocess.run(command_of(many, out, service_address), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        keys = [(row["file"], row["kind"], row["at_s"], row["start_s"]) for row in rows_of(out)]
        assert len(keys) == len(set(keys))
        assert sorted(key[0] for key in keys if key[1] == "file") == [f"{number:02}.wav" for number in range(12)]
        assert not list(out.glob("parts/.*"))

    def test_an_interrupted_job_finishes_what_was_begun(self, many, service_address, tmp_path):
        out = tmp_path / "out"
        with subprocess.Popen(
            command_of(many, out, service_address, "--workers", "1"), stderr=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            wait_for_a_part(out, process)
            os.kill(process.pid, signal.SIGINT)
            _, errors = process.communicate()
        assert process.returncode == 130, errors
        assert not (out / "_SUCCESS").exists()
        begun = len({row["file"] for row in rows_of(out)})
        assert 1 <= begun < 12
        done = subprocess.run(command_of(many, out, service_address), capture_output=True, check=True)
        assert json.loads(done.stdout)["asked_now"] == 12 - begun

    def test_one_job_at_a_time_writes_a_folder(self, many, service_address, tmp_path, capsys):
        folder = CatalogueFolder(tmp_path / "out", [])
        with folder.held():
            assert main(["batch", str(many), "--out", str(tmp_path / "out"), "--server", service_address]) == 1
        assert "another job is writing" in capsys.readouterr().err

    def test_a_service_that_nobody_starts_again_ends_the_job_and_loses_nothing(self, many, tmp_path, capsys):
        out = tmp_path / "out"
        assert main(["batch", str(many), "--out", str(out), "--server", "127.0.0.1:1", "--timeout-s", "2"]) == 1
        assert "phonoscope: " in capsys.readouterr().err
        assert not (out / "errors.parquet").exists()
        assert not list(out.glob("parts/*"))


def test_a_part_that_cannot_be_read_is_named(tmp_path):
    folder = CatalogueFolder(tmp_path, [])
    with folder.held():
        (tmp_path / "parts" / "part-00000.parquet").write_bytes(b"PAR1 and no more")
        with pytest.raises(InvalidInputError, match=r"part-00000\.parquet' cannot be read"):
            folder.answered()


def test_own_services_are_started_again_when_they_die(many, tmp_path):
    """A job without --server: its own service is killed, and every file is there all the same."""
    command = [each for each in command_of(many, tmp_path / "out", "x") if each not in ("--server", "x")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for_a_part(tmp_path / "out", process)
        children = [
            int(child)
            for task in Path(f"/proc/{process.pid}/task").glob("*/children")
            for child in task.read_text().split()
        ]
        for child in children:
            os.kill(child, signal.SIGKILL)
        printed, errors = process.communicate()
    assert process.returncode == 0, errors
    assert json.loads(printed)["answered"] == 12


def test_without_the_extra_it_says_so():
    program = "import sys; sys.modules['pyarrow'] = None; from phonoscope_client.cli import main; main(sys.argv[1:])"
    for command in (["batch", ".", "--out", "out"], ["summarise", "out"]):
        done = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=False)
        assert done.stderr.startswith("phonoscope: catalogues need the extra: pip install 'phonoscope[batch]'")


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra `ray`")
def test_workers_of_ray_answer_alike_and_may_be_killed(many, music, service_address, tmp_path):
    """On a local cluster of two workers, one of which is killed as soon as it is there."""
    (tmp_path / "music").mkdir()
    for path in (*many.glob("*.wav"), music / "broken.mp3"):
        (tmp_path / "music" / path.name).write_bytes(path.read_bytes())
    command = command_of(tmp_path / "music", tmp_path / "out", service_address, "--engine", "ray", "--workers", "2")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (workers := [pid for pid in descendants(process.pid) if b"MapWorker" in command_line(pid)]):
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        os.kill(workers[0], signal.SIGKILL)
        printed, errors = process.communicate()
    assert process.returncode == 3, errors
    said = json.loads(printed)
    assert (said["answered"], said["errors"]) == (12, 1)
    with_ray = rows_of(tmp_path / "out")
    with_threads = tmp_path / "threads"
    assert main(["batch", str(many), "--out", str(with_threads), "--server", service_address, *ASKED]) == 0

    def told(rows):
        return sorted((row["file"], row["kind"], row["at_s"] or 0, row["start_s"] or 0, row["label"]) for row in rows)

    assert told(with_ray) == told(rows_of(with_threads))


def descendants(pid):
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from descendants(child)


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
