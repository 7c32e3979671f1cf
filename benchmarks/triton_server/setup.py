"""Sets up, once, the real Triton server that tests and benchmarks speak to: `python benchmarks/triton_server/setup.py`.

`nvidia-pytriton` carries a whole `tritonserver` with the Python backend alone. It pins NumPy below 2, so it lives in an
environment of its own, `.triton/`, which can be deleted at any time.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = (Path(__file__).resolve().parents[2] / ".triton").resolve()  # several source trees may share one
ENVIRONMENT = FOLDER / "venv"
BACKENDS = FOLDER / "backends"
STAMP = FOLDER / "stamp"
PYTHON = (3, 11)
# With NumPy 2, tensors arrive in the stand-in with wrong numbers and no error.
REQUIREMENTS = ("nvidia-pytriton==0.7.0", "numpy==1.26.4", "onnxruntime==1.31.1")
CARRIER = ENVIRONMENT / "lib" / "python{}.{}".format(*PYTHON) / "site-packages" / "pytriton" / "tritonserver"


def reason_against() -> str:
    """Why the server cannot run here; empty where it can."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return f"Triton comes for Linux on x86-64, not for {sys.platform} on {platform.machine()}"
    if sys.version_info[:2] != PYTHON:
        return "Triton's Python backend is set up for Python {}.{}, not {}.{}".format(*PYTHON, *sys.version_info[:2])
    return ""


def is_set_up() -> bool:
    """Whether everything `set_up` makes is there, and of the releases named here."""
    return STAMP.exists() and STAMP.read_text() == _stamp()


def set_up() -> None:
    """Makes the environment; what an interrupted set-up left is used again."""
    venv.create(ENVIRONMENT, with_pip=True, symlinks=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS], check=True)
    python_backend = BACKENDS / "python"
    python_backend.mkdir(parents=True, exist_ok=True)
    stub = CARRIER / "python_backend_stubs" / "{}.{}".format(*PYTHON) / "triton_python_backend_stub"
    stub.chmod(0o755)
    for part in (*(CARRIER / "backends" / "python").iterdir(), stub):
        link = python_backend / part.name
        link.unlink(missing_ok=True)
        link.symlink_to(part)
    STAMP.write_text(_stamp())


def _stamp() -> str:
    return "\n".join((sys.base_prefix, *REQUIREMENTS, str(FOLDER)))


def main() -> None:
    """Sets it up where it can run and is not there yet."""
    if reason := reason_against():
        print(f"The tests of the real Triton server are skipped: {reason}")
    elif not is_set_up():
        print("Setting up a real Triton server for the tests in .triton (about 450 MB, once)")
        set_up()


if __name__ == "__main__":
    main()
