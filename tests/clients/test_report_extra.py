"""What can be done without the extra `report`, and what is said where it is needed."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from phonoscope.v1 import bundle_pb2, prediction_pb2
from support.services.written_answers import serving

EXTRA = "pages and pictures need the extra: pip install 'phonoscope[report]' (there is no {})"
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def run_without(package, *arguments):
    """The command in a Python that has no such package."""
    program = f"import sys; sys.modules[{package!r}] = None; from phonoscope_client.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(params=["matplotlib", "jinja2"])
def missing(request):
    return request.param


@pytest.mark.parametrize(
    "page", ["explanation", "curve", "inversion", "auralisation", "maximisation", "story", "track.page"]
)
def test_the_library_asks_for_the_extra_by_name(missing, page):
    program = f"""
import sys
sys.modules[{missing!r}] = None
from phonoscope_client import MissingExtraError, PhonoscopeError
for attempt in range(2):
    try:
        import phonoscope_client.reports.{page}
    except MissingExtraError as error:
        assert isinstance(error, PhonoscopeError) and isinstance(error, ImportError)
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [EXTRA.format(missing)] * 2


@pytest.mark.parametrize(
    "command",
    [
        ["explain", "SONG", "--at", "3"],
        ["predict", "SONG"],
        ["track", "SONG"],
        ["invert", "SONG", "--at", "3"],
        ["auralise", "SONG", "--layer", "conv3"],
        ["maximise"],
        ["demo", "--song", "SONG"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_writes_pages_asks_for_the_extra_before_it_starts_anything(missing, command, song, tmp_path):
    arguments = [song if each == "SONG" else each for each in command]
    done = run_without(missing, *arguments, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr == f"phonoscope: {EXTRA.format(missing)}\n"
    assert not (tmp_path / "out").exists()


def test_commands_that_write_no_page_do_without(missing, song):
    def answer(request, context):
        if isinstance(request, prediction_pb2.PredictRequest):
            return prediction_pb2.PredictResponse(probability=[0.5], frames_per_second=70)
        return bundle_pb2.DescribeBundleResponse()

    with serving(answer) as address:
        for arguments in (["predict", song], ["describe"]):
            done = run_without(missing, *arguments, "--json", "--server", address)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)


def test_the_base_install_and_the_service_bring_no_pictures():
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    asked_for = {"report": extras["report"], "nothing": project["dependencies"]}
    asked_for |= {name: extras[name] for name in ("serving", "serving-gpu", "serving-common")}
    for package in ("matplotlib", "jinja2"):
        assert [name for name, needs in asked_for.items() if any(package in each for each in needs)] == ["report"]
