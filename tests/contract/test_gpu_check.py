"""What the GPU check does where there is no GPU, and its measures, with the CPU in the GPU's place."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from phonoscope_serving.bundle.bundle import load_bundle

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "benchmarks" / "gpu_check.py"
CHECK = runpy.run_path(str(PROGRAM.with_name("gpu_graphs.py")))
CPU_AS_GPU = CHECK["Way"]("CUDA", ("CPUExecutionProvider",), "cpu", tolerance=1e-6)


def test_where_there_is_no_gpu_it_says_so_and_ends_well():
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a GPU here: `make gpu-check` checks it")
    done = subprocess.run([sys.executable, PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "There is no NVIDIA GPU" in done.stdout


@pytest.mark.parametrize("graph", ["mask", "listen", "explanation_inverter"])
def test_a_graph_agrees_with_itself_and_its_operators_are_listed_with_where_they_ran(graph):
    finding = CHECK["check_graph"](load_bundle(ROOT / "model_repository"), graph, CPU_AS_GPU)
    assert not finding.fails
    assert "Mul" in finding.on_cpu or "Conv" in finding.on_cpu


def test_the_error_is_the_mean_difference_in_units_of_the_mean():
    right = np.array([[1.0, -1.0, 2.0, 0.0]], np.float32)
    found = np.array([[1.0, -1.0, 2.0, 0.4]], np.float32)
    assert CHECK["relative_error"](found, right) == pytest.approx(0.1)


@pytest.mark.parametrize(("error", "strays"), [(2e-6, ()), (float("nan"), ()), (0.0, ("mask",))])
def test_a_wrong_number_and_a_tensor_that_left_the_gpu_fail(error, strays):
    assert CHECK["Finding"]("mask", CPU_AS_GPU, error, (), 0, strays).fails
