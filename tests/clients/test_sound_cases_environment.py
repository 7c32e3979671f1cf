"""Names, terminals, proxies and libraries that are none of a caller's doing."""

import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from phonoscope.v1 import bundle_pb2, bundle_reference_pb2, explainer_service_pb2_grpc
from phonoscope_client import Client, DeadlineExceededError, UnavailableError, running_service
from phonoscope_client.files import printable
from phonoscope_client.transport import decoding
from support.corpora.sound_files import coded, song

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
NOT_UTF_8 = os.fsdecode(b"caf\xe9.wav")
PROXIES = ("http_proxy", "https_proxy", "grpc_proxy")


def phonoscope(*arguments, **environment):
    """What the command prints, in a process of its own; bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "phonoscope_client.cli", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "PHONOSCOPE_MODEL_REPOSITORY": str(REPOSITORY), **environment},
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def test_a_name_that_is_no_utf_8_is_shown_escaped():
    assert printable(NOT_UTF_8) == r"caf\xe9.wav"
    assert printable(Path("café ♪.wav")) == "café ♪.wav"


@pytest.mark.parametrize("name", [NOT_UTF_8, "café ♪.wav"], ids=["not UTF-8", "not ASCII"])
@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["text", "JSON"])
def test_a_missing_file_of_any_name_is_one_line_of_ascii(name, arguments, tmp_path):
    done = phonoscope("predict", tmp_path / name, *arguments, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.isascii()
    assert b"there is no file" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["predict", "explain", "invert", "auralise", "maximise", "describe", "demo", ""])
def test_help_is_printed_on_a_terminal_of_ascii(command):
    done = phonoscope(*filter(None, [command]), "--help", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


@pytest.mark.e2e
class TestWithTheRealService:
    @pytest.fixture(params=[NOT_UTF_8, "café ♪.wav"], ids=["not UTF-8", "not ASCII"])
    def named(self, request, song, tmp_path):
        path = tmp_path / request.param
        path.write_bytes(song.read_bytes())
        return path

    @pytest.mark.parametrize(
        "command",
        [
            ("predict",),
            ("explain", "--at", "4"),
            ("invert", "--at", "4"),
            ("auralise", "--at", "4", "--layer", "conv3"),
        ],
        ids=lambda command: command[0],
    )
    @pytest.mark.parametrize("style", [(), ("--json",)], ids=["text", "JSON"])
    def test_a_file_of_any_name_is_answered_on_a_terminal_of_ascii(
        self, command, style, named, service_address, tmp_path
    ):
        out = tmp_path / os.fsdecode(b"\xfcber")
        asked = (command[0], named, *command[1:], *style, "--out", out, "--server", service_address)
        done = phonoscope(*asked, "--timeout-s", "600", PYTHONIOENCODING="ascii")
        assert done.returncode == 0, done.stderr
        assert (done.stdout + done.stderr).isascii()
        shown = printable(named.name)
        assert shown.encode("ascii", "backslashreplace") in done.stderr
        (page,) = out.glob("*.html")
        assert f"<h1>{shown}</h1>" in page.read_text("utf-8")
        if style:
            document = json.loads(done.stdout)
            assert document["song"] == printable(named)
            assert document["files"]["report"] == printable(page)
            json.dumps(document, ensure_ascii=False).encode()  # no half of a character, which many readers refuse

    def test_progress_of_a_maximisation_is_shown_on_a_terminal_of_ascii(self, service_address):
        asked = ("maximise", "--steps", 2, "--examples", 1, "--server", service_address, "--timeout-s", "600")
        done = phonoscope(*asked, PYTHONIOENCODING="ascii")
        assert done.returncode == 0, done.stderr
        assert (done.stdout + done.stderr).isascii()

    def test_its_own_service_is_reached_whatever_proxy_is_set(self, song):
        nobody = dict.fromkeys(PROXIES, "http://127.0.0.1:9") | {"no_proxy": "", "NO_PROXY": ""}
        done = phonoscope("predict", song, "--json", "--timeout-s", "600", **nobody)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["song"] == str(song)

    def test_libraries_add_nothing_to_what_is_quiet_and_nothing_to_the_log(self, tmp_path):
        path, log = tmp_path / "damaged.mp3", tmp_path / "log"
        path.write_bytes(_damaged_mp3())
        with running_service(["--model-repository", str(REPOSITORY), "--threads", "1"], log_path=log) as service:
            asked = ("explain", path, "--at", "4", "--server", service.address, "--timeout-s", "600", "--quiet")
            done = phonoscope(*asked)
        assert (done.returncode, done.stderr) == (0, b"")
        assert [json.loads(line) for line in log.read_text().splitlines()]

    def test_a_cut_of_what_is_damaged_is_quiet_too(self, capfd):
        content = _damaged_mp3()
        decoding.cut(content, 0, decoding.measure(content).samples)
        assert capfd.readouterr() == ("", "")


def _damaged_mp3():
    content = bytearray(coded(song(8), 22050, "mp3", "libmp3lame"))
    noise = np.random.default_rng(5).integers(0, 256, len(content), np.uint8)
    for start in range(3000, len(content) - 400, 9000):
        content[start : start + 300] = noise[start : start + 300].tobytes()
    return bytes(content)


class _Describes(explainer_service_pb2_grpc.ExplainerServiceServicer):
    def DescribeBundle(self, request, context):  # noqa: N802 - the contract's name
        return bundle_pb2.DescribeBundleResponse(bundle=bundle_reference_pb2.BundleReference(name="here"))


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that every channel is told of, which leads nowhere; what it was asked for."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096))

        threading.Thread(target=listen, daemon=True).start()
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{listener.getsockname()[1]}")
        for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield asked
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("bound", "named"),
    [
        ("127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("127.0.0.1:{port}", "localhost:{port}"),
        ("127.0.0.1:{port}", "dns:///localhost:{port}"),
        ("127.0.0.1:{port}", "ipv4:127.0.0.1:{port}"),
        ("[::1]:{port}", "[::1]:{port}"),
        ("unix:{folder}/socket", "unix:{folder}/socket"),
    ],
)
def test_this_machine_is_reached_without_a_proxy(bound, named, proxy, tmp_path):
    server = grpc.server(ThreadPoolExecutor(1))
    explainer_service_pb2_grpc.add_ExplainerServiceServicer_to_server(_Describes(), server)
    try:
        port = server.add_insecure_port(bound.format(port=0, folder=tmp_path))
    except RuntimeError:
        pytest.skip(f"this machine has no {bound.split(':')[0]}")  # IPv6, in some containers
    server.start()
    try:
        with Client(named.format(port=port, folder=tmp_path), timeout_s=600) as client:
            assert client.describe().name == "here"
    finally:
        server.stop(grace=None).wait()
    assert proxy == []


def test_other_machines_are_reached_through_it(proxy):
    """What the test above rests on: the proxy is used where it should be."""
    unreached = pytest.raises((UnavailableError, DeadlineExceededError))
    with Client("elsewhere.invalid:50051", timeout_s=60) as client, unreached:
        client.describe()
    assert proxy[0].startswith(b"CONNECT elsewhere.invalid:50051")
