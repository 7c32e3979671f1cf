"""Whether the graphs give the CPU's numbers on an NVIDIA GPU, stay there, and what the ensembles gain by it.

Every graph is run on its warm-up inputs by ONNX Runtime's CUDA provider, and by TensorRT where it is installed and
takes the graph, and compared with the CPU (`gpu_graphs.py` says how). Ensembles are timed with their tensors on the GPU
from step to step.

Where there is no GPU it says so and ends with 0. It ends with 1 if an error is above its tolerance, or an output was
not left on the GPU for the next step.
"""

from __future__ import annotations

import argparse
import datetime
import shutil
import subprocess
import sys
from pathlib import Path

import no_telemetry  # noqa: F401 - acts as it is imported
import onnxruntime as ort
from gpu_ensembles import Timing, engine, time_ensembles
from gpu_graphs import CUDA, ON_CUDA, Finding, check_graph, ways
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.ensemble import is_ensemble, plan

ENSEMBLE_TOLERANCE = 0.01  # of a probability


def main() -> int:
    """Checks, prints a dated table in Markdown; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    options = parser.parse_args()
    bundle = load_bundle(options.model_repository)
    if reason := reason_against():
        print(f"There is no NVIDIA GPU that ONNX Runtime can use here: {reason}. Nothing was checked.")
        return 0
    ort.preload_dlls()  # CUDA and cuDNN, where they were installed as Python packages
    gpu, cpu = engine(bundle, "cuda"), engine(bundle, "cpu")
    graphs = [name for name, config in bundle.models.items() if not is_ensemble(config)]
    findings = [check_graph(bundle, name, way) for name in graphs for way in ways(bundle, name)]
    timings = time_ensembles(bundle, gpu, cpu)
    print(report(bundle, findings, timings))
    wrong = any(timing.difference > ENSEMBLE_TOLERANCE for timing in timings)
    return int(wrong or any(finding.fails for finding in findings))


def reason_against() -> str:
    """Why no GPU can be used; empty where one can."""
    if CUDA not in ort.get_available_providers():
        return f"this ONNX Runtime {ort.__version__} has no CUDA provider"
    if shutil.which("nvidia-smi") is None or not gpu_name():
        return "nvidia-smi finds none"
    return ""


def gpu_name() -> str:
    """Name and driver of the first GPU."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def report(bundle: Bundle, findings: list[Finding], timings: list[Timing]) -> str:
    """Dated tables in Markdown."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    copies = {finding.graph: finding.copies for finding in findings if finding.way == ON_CUDA}
    lines = [
        f"## {today}: {gpu_name()}, ONNX Runtime {ort.__version__}, bundle {bundle.name} ({bundle.digest[:12]})",
        "",
        "| graph | provider | error | tolerance | operators on the CPU | copies | outputs on the GPU |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| `{f.graph}` | {f.way.title} | {f.error:.1e}{' **too far**' if f.error > f.way.tolerance else ''} "
            f"| {f.way.tolerance:.0e} | {', '.join(f.on_cpu) or 'none'} | {f.copies} | {_stayed(f)} |"
            for f in findings
        ),
        "",
        "| model | steps' copies | difference | p50 ms | p99 ms | CPU p50 ms | rows/s (rows of a call) |",
        "|---|---|---|---|---|---|---|",
    ]
    for t in timings:
        config = bundle.models[t.model]
        steps = [s.model for s in plan(config, bundle.models).steps] if is_ensemble(config) else [t.model]
        rates = ", ".join(f"{rate:.0f} ({rows})" for rows, rate in t.rows_per_s.items())
        lines.append(
            f"| `{t.model}` | {sum(copies[step] for step in steps)} | {t.difference:.1e} "
            f"| {t.p50_ms:.2f} | {t.p99_ms:.2f} | {t.cpu_p50_ms:.2f} | {rates} |"
        )
    return "\n".join(lines)


def _stayed(finding: Finding) -> str:
    return f"not {', '.join(finding.strays)}" if finding.strays else "all"


if __name__ == "__main__":
    sys.exit(main())
