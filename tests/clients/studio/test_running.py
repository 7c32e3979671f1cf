"""A studio from its start to its end, and with a service that goes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from phonoscope_client import running_service
from support.services.studio import HANG_S, children, running_studio

pytestmark = pytest.mark.e2e
MODEL_REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"


def test_an_interrupt_ends_it_well_and_leaves_nothing(service_address, song, tmp_path):
    with running_studio(song, "--server", service_address, env={**os.environ, "TMPDIR": str(tmp_path)}) as studio:
        visitor = studio.visitor()
        visitor.drop(song.read_bytes() + bytes(1000), "more.wav")
        for each in visitor.get("/api/songs").json:
            visitor.get(f"/api/songs/{each['id']}/peaks")
        assert any(tmp_path.iterdir())
        assert studio.interrupt() == 0
        assert "ended" in studio.process.stdout.read()
    assert not any(tmp_path.iterdir())


def test_an_interrupt_ends_what_is_going_on(service_address):
    with running_studio("--server", service_address) as studio:
        asked = {"listener": "detector", "layer": "output", "steps": 2000}
        connection, response = studio.visitor().begin(
            "POST", "/api/maximise", json.dumps(asked), **{"content-type": "application/json"}
        )
        assert response.readline()
        assert studio.interrupt() == 0
        connection.close()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["nothing.wav"], "no file"), (["--host", "192.0.2.1"], "another"), ([__file__], "no sound")],
    ids=str,
)
def test_what_cannot_be_opened_is_said_at_once(service_address, arguments, word):
    command = [sys.executable, "-m", "phonoscope_client.cli", "studio", "--no-browser", *arguments]
    done = subprocess.run([*command, "--server", service_address], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_to_be(service_address, studio):
    port = studio.address.partition("/?")[0].rpartition(":")[2]
    command = [sys.executable, "-m", "phonoscope_client.cli", "studio", "--no-browser", "--port", port]
    done = subprocess.run([*command, "--server", service_address], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--port" in done.stderr


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_the_extra_is_asked_for_by_name(package):
    program = f"import sys; sys.modules[{package!r}] = None; from phonoscope_client.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "studio", "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"phonoscope[studio]' (there is no {package})" in done.stderr


def test_a_page_that_leaves_frees_its_place_and_a_service_that_goes_is_said_and_waited_for(song):
    arguments = ["--model-repository", str(MODEL_REPOSITORY), "--threads", "1"]
    with running_service(arguments) as service, running_studio(song, "--server", service.address) as studio:
        visitor = studio.visitor()
        (opened,) = visitor.get("/api/songs").json
        asked = {"listener": "detector", "layer": "output", "steps": 2000}
        connection, response = visitor.begin(
            "POST", "/api/maximise", json.dumps(asked), **{"content-type": "application/json"}
        )
        assert response.readline()
        response.close()
        connection.close()
        _until(lambda: '"CANCELLED"' in service.log_path.read_text())
        service.process.send_signal(signal.SIGKILL)
        service.process.wait(HANG_S)
        answer = visitor.post(f"/api/songs/{opened['id']}/explain", {"at_s": 4})
        assert answer.status == 503
        assert answer.error["retry_after_s"] > 0
        assert "does not answer" in answer.error["message"]
        (part,) = visitor.lines(f"/api/songs/{opened['id']}/track")
        assert part["kind"] == "error"
        assert part["retry_after_s"] > 0


def test_its_own_service_is_started_again_where_it_was_killed(song):
    with running_studio(song) as studio:
        visitor = studio.visitor()
        (opened,) = visitor.get("/api/songs").json
        server = visitor.get("/api/bundle").json["server"]
        (killed,) = children(studio.process.pid)
        os.kill(killed, signal.SIGKILL)
        _until(lambda: children(studio.process.pid) not in ([], [killed]))
        (own,) = children(studio.process.pid)
        _until(lambda: visitor.post(f"/api/songs/{opened['id']}/explain", {"at_s": 4}).status == 200)
        assert visitor.get("/api/bundle").json["server"] == server
        assert studio.interrupt() == 0
    assert not Path("/proc", str(own)).exists()


def _until(holds):
    give_up_s = time.monotonic() + HANG_S
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
