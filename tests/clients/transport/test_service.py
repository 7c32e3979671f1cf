"""Running a service of one's own, with small programs in its place: what the real one cannot be made to do."""

import os
import sys
from pathlib import Path

import pytest
from phonoscope_client import UnavailableError, running_service
from phonoscope_client.transport import service as service_module


@pytest.fixture
def program(tmp_path):
    """Writes a program that stands in for `phonoscope-serve`."""

    def write(body):
        path = tmp_path / "phonoscope-serve"
        path.write_text(f"#!{sys.executable}\n{body}")
        path.chmod(0o755)
        return str(path)

    return write


READY = """
import json, os, pathlib, signal, sys, time
ready = pathlib.Path(sys.argv[sys.argv.index("--ready-file") + 1])
def stop(*_):
    pathlib.Path(sys.argv[-1]).write_text("stopped in order")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
pathlib.Path(sys.argv[-1]).write_text(str(os.getpid()))
partial = ready.with_suffix(".partial")
partial.write_text(json.dumps({"address": "127.0.0.1:4", "metrics_address": "127.0.0.1:5"}))
partial.rename(ready)
time.sleep(600)
"""


def test_a_service_is_waited_for_and_stopped_in_order(program, tmp_path):
    notes = []
    trace = tmp_path / "trace"
    with running_service([str(trace)], program=program(READY), note=notes.append) as service:
        assert service.address == "127.0.0.1:4"
        assert service.metrics_address == "127.0.0.1:5"
        assert service.process.pid == int(trace.read_text())
        os.kill(int(trace.read_text()), 0)  # it is running
    assert trace.read_text() == "stopped in order"
    assert notes[0].startswith("starting a service")
    assert notes[1].startswith("ready after")
    assert service.process.returncode == 0


def test_a_service_is_stopped_when_what_it_was_for_fails(program, tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(RuntimeError), running_service([str(trace)], program=program(READY)):
        raise RuntimeError
    assert trace.read_text() == "stopped in order"


def test_a_service_that_ends_early_shows_the_end_of_its_log(program):
    body = 'import sys\nfor n in range(99): print("line", n)\nsys.exit("no bundle in sight")\n'
    refused = pytest.raises(UnavailableError, match="ended with status 1 before it was ready")
    with refused as caught, running_service(program=program(body)):
        pass
    assert "no bundle in sight" in str(caught.value)
    assert "line 98" in str(caught.value)
    assert "line 50" not in str(caught.value)


def test_a_service_that_hangs_is_given_up_and_stopped(program, monkeypatch):
    started, start = [], service_module._start
    monkeypatch.setattr(service_module, "_start", lambda *given: started.append(start(*given)) or started[-1])
    hanging = program("import time\ntime.sleep(3600)\n")
    refused = pytest.raises(UnavailableError, match=r"was not ready within 0\.3 s; its log ends:")
    with refused, running_service(program=hanging, ready_timeout_s=0.3):
        pass
    assert started[0].returncode is not None


def test_a_services_log_can_be_read_while_it_runs_and_kept_afterwards(program, tmp_path):
    body = "print('loading', flush=True)\n" + READY
    with running_service([str(tmp_path / "trace")], program=program(body)) as service:
        assert service.log_path.read_text() == "loading\n"
    assert not service.log_path.exists()
    kept = tmp_path / "service.log"
    with running_service([str(tmp_path / "trace")], program=program(body), log_path=kept) as service:
        assert service.log_path == kept
    assert kept.read_text() == "loading\n"


def test_a_service_whose_libraries_are_missing_says_what_to_install(program):
    refused = pytest.raises(UnavailableError, match=r"pip install 'phonoscope\[serving\]'")
    with refused, running_service(program=program("import a_library_nobody_has\n")):
        pass


def test_a_program_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UnavailableError, match="nowhere"), running_service(program=str(Path(tmp_path, "nowhere"))):
        pass
