"""The gRPC contract: stubs are what the .proto files generate, and the .proto files keep the house's rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor import ServiceDescriptor
from phonoscope.v1 import explainer_service_pb2

PROTO = Path(__file__).parents[2] / "proto"
STUBS = sorted(path.name for path in (PROTO / "phonoscope" / "v1").glob("*_pb2*.py*"))
SERVICE: ServiceDescriptor = explainer_service_pb2.DESCRIPTOR.services_by_name["ExplainerService"]


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("stubs")
    subprocess.run([sys.executable, str(PROTO / "generate.py"), "--out", str(out)], check=True)
    return out


@pytest.mark.parametrize("name", STUBS)
def test_committed_stubs_are_what_the_proto_files_generate(generated, name):
    committed = (PROTO / "phonoscope" / "v1" / name).read_text()
    assert committed == (generated / "phonoscope" / "v1" / name).read_text(), "run `make stubs`"


def test_no_stub_is_missing(generated):
    assert sorted(path.name for path in (generated / "phonoscope" / "v1").iterdir()) == STUBS


def test_the_contract_passes_buf_lint():
    done = subprocess.run(["buf", "lint", "."], cwd=PROTO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_clients_of_the_last_release_are_still_understood():
    """At a release: `cd proto && buf build . --exclude-source-info -o released.binpb`."""
    command = ["buf", "breaking", ".", "--against", "released.binpb"]
    done = subprocess.run(command, cwd=PROTO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("method", [m.name for m in SERVICE.methods])
def test_every_rpc_says_which_statuses_it_answers(method):
    source = (PROTO / "phonoscope" / "v1" / "explainer_service.proto").read_text()
    before = source[: source.index(f"rpc {method}(")]
    comment = before[before.rindex("\n\n") :] if "\n\n" in before else before
    assert "answers" in comment.lower()
