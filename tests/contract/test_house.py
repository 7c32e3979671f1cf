"""The rooms of the house and the arrows between them, and what each install needs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("proto", "trainer", "serving", "clients", "benchmarks")
MOST_LINES, MOST_FILES = 250, 12
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def sources(*folders):
    """Python files that somebody writes, below some folders."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "_pb2" not in path.name]
    assert len(found) > len(folders)
    return found


def test_a_file_fits_a_few_screens():
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in sources(*PROGRAMS)}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_a_folder_holds_what_can_be_taken_in_at_a_glance():
    folders = {path.parent for path in sources("serving", "clients")}
    files = {str(each.relative_to(ROOT)): len({*each.glob("*.py")} - {each / "__init__.py"}) for each in folders}
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}


def test_benchmarks_and_programs_import_nothing_from_the_tests():
    imported = {}
    for path in sources(*PROGRAMS):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {
                str(path.relative_to(ROOT)): name for name in names if name.split(".")[0] in ("support", "tests")
            }
    assert imported == {}


def test_every_module_of_a_program_has_its_layer():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layered = {each["containers"][0]: each["exhaustive"] for each in contracts if each["type"] == "layers"}
    assert layered == {"phonoscope_serving": True, "phonoscope_client": True, "phonoscope_trainer": True}


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
