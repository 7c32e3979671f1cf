"""What `phonoscope_client` offers, and what importing it costs."""

import inspect
import subprocess
import sys

import phonoscope_client


def test_all_names_exactly_what_the_package_imports_for_its_callers():
    offered = {
        name
        for name, value in vars(phonoscope_client).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert phonoscope_client.__all__ == sorted(offered)


def test_importing_the_client_imports_no_other_program_and_no_network_library():
    forbidden = ["torch", "librosa", "scipy", "onnx", "onnxruntime", "phonoscope_serving", "phonoscope_trainer"]
    forbidden += ["matplotlib", "jinja2"]  # half a second, which only reports are worth
    program = f"import sys, phonoscope_client.cli; print([m for m in {forbidden} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
