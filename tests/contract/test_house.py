"""The arrows between the programs, and what each install needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_programs_share_contracts_and_never_code():
    done = subprocess.run(["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["phonoscope_client", "phonoscope_client.cli", "phonoscope_serving.cli"])
@pytest.mark.parametrize("heavy", ["torch", "librosa", "scipy", "onnx"])
def test_client_and_service_start_without_the_trainers_libraries(package, heavy):
    program = f"import sys; sys.modules['{heavy}'] = None; import {package}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_client_starts_without_the_service():
    program = "import sys; sys.modules['phonoscope_serving'] = None; import phonoscope_client.cli"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("command", sorted(PROJECT["scripts"]))
def test_every_command_teaches_its_use(command):
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 15


def test_every_dependency_has_a_lower_and_an_upper_bound():
    every = [*PROJECT["dependencies"], *(d for group in PROJECT["optional-dependencies"].values() for d in group)]
    unbounded = [d for d in every if "==" not in d and "<" not in d and not d.startswith("phonoscope[")]
    assert unbounded == []
