"""The service opens no connection but its own, and writes nothing but what it was told to."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.bundles.repository import REPOSITORY
from support.services.running import HANG_S

ROOT = Path(__file__).parents[3]
IS_TRACED = shutil.which("strace") and subprocess.run(["strace", "-o", os.devnull, "true"], check=False).returncode == 0
SILENT = 'os.environ["ORT_DISABLE_TELEMETRY"] = "1"'
WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT")
HARMLESS = ("/dev/", "/proc/", "pipe:", "anon_inode:")


def imports(path):
    """Names of the modules a file imports at its top, in order."""
    found = []
    for node in ast.parse(path.read_text()).body:
        found += [each.name for each in node.names] if isinstance(node, ast.Import) else []
        found += [node.module] if isinstance(node, ast.ImportFrom) else []
    return found


def test_attack_every_program_silences_onnx_runtime_before_it_is_imported():
    for package in ("serving/phonoscope_serving", "trainer/phonoscope_trainer"):
        assert SILENT in (ROOT / package / "__init__.py").read_text()
    for path in (ROOT / "benchmarks").glob("*.py"):
        names = imports(path)
        if "onnxruntime" in names:
            assert "no_telemetry" in names[: names.index("onnxruntime")], path


@pytest.mark.e2e
@pytest.mark.skipif(not IS_TRACED, reason="strace is not installed, or may not trace here")
def test_attack_the_service_connects_nowhere_and_writes_only_what_it_was_told_to(tmp_path):
    home, trace, ready = tmp_path / "home", tmp_path / "trace", tmp_path / "ready.json"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    service = subprocess.Popen(
        [
            *("strace", "-f", "-qq", "-e", "trace=connect,sendto,openat,creat,mkdir", "-o", str(trace)),
            *(sys.executable, "-B", "-m", "phonoscope_serving.cli", "--model-repository", str(REPOSITORY)),
            *("--device", "cpu", "--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"),
            *("--ready-file", str(ready)),
        ],
        env=environment | {"HOME": str(home)},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        give_up_s = time.monotonic() + HANG_S
        while not ready.exists():
            assert service.poll() is None
            assert time.monotonic() < give_up_s
            time.sleep(0.1)
    finally:
        os.killpg(service.pid, signal.SIGTERM)
        service.wait(HANG_S)
    lines = trace.read_text(errors="replace").splitlines()
    assert len(lines) > 100
    assert [line for line in lines if re.search(r"(connect|sendto)\(.*sa_family=AF_INET", line)] == []
    written = [re.search(r'"([^"]*)"', line)[1] for line in lines if any(flag in line for flag in WRITES)]
    assert [path for path in written if not path.startswith((str(tmp_path), *HARMLESS))] == []
    assert list(home.iterdir()) == []
