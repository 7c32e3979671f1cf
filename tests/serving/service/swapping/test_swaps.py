"""A real service whose bundle is replaced while it is asked."""

import shutil
import threading
import urllib.request

import grpc
import numpy as np
import pytest
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope_client import running_service
from support.bundles.repository import edit_manifest, put_listed, small
from support.corpora.sound import music, pcm
from support.services.running import wait_until
from triton_server.server import linked

pytestmark = pytest.mark.e2e
EXPLAIN = ExplainRequest(audio=pcm(music(3)), at_s=1.5)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Folders of two bundles that differ in name and threshold, and of one whose detector was replaced."""
    folder = tmp_path_factory.mktemp("bundles")
    small(folder).rename(folder / "one")
    for name in ("two", "wrong"):
        shutil.copytree(folder / "one", folder / name, copy_function=linked)
    edit_manifest(folder / "one", name="one", threshold=0.25)
    edit_manifest(folder / "two", name="two", threshold=0.75)
    # All digests are right, and it can be loaded; only its golden vectors tell that it is wrong.
    put_listed(folder / "wrong", "golden.npz", with_another_number((folder / "wrong" / "golden.npz"), folder))
    edit_manifest(folder / "wrong", name="wrong")
    return folder


def with_another_number(golden, folder):
    with np.load(golden) as arrays:
        kept = dict(arrays)
    name = next(name for name in kept if name.endswith(".output.probability"))
    kept[name] = np.clip(1 - kept[name], 0.2, 0.8)
    np.savez(folder / "wrong.npz", **kept)
    return (folder / "wrong.npz").read_bytes()


def point(link, folder):
    beside = link.with_name("beside")
    beside.symlink_to(folder)
    beside.replace(link)


def metric(service, start):
    with urllib.request.urlopen(f"http://{service.metrics_address}/metrics") as page:
        lines = page.read().decode().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(start)), 0.0)


def test_bundles_take_each_others_place_under_load_and_a_wrong_one_does_not(bundles, tmp_path):
    link, stop, answers, failures = tmp_path / "current", threading.Event(), [], []
    point(link, bundles / "one")
    arguments = ["--model-repository", str(link), "--watch", "--threads", "1", "--device", "cpu"]
    with (
        running_service(arguments, log_path=tmp_path / "log") as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        stub = ExplainerServiceStub(channel)

        def ask():
            while not stop.is_set():
                try:
                    answer = stub.Explain(EXPLAIN)
                    answers.append((answer.bundle.name, answer.threshold))
                except grpc.RpcError as error:
                    failures.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for name in ("two", "one"):
                point(link, bundles / name)
                wait_until(lambda name=name: stub.DescribeBundle(DescribeBundleRequest()).bundle.name == name)
            wait_until(lambda: metric(service, "phonoscope_bundles_loaded") == 1)
            point(link, bundles / "wrong")
            wait_until(lambda: metric(service, 'phonoscope_bundle_swaps_total{outcome="refused"}') == 1)
            asked = len(answers)
            wait_until(lambda: len(answers) > asked + 1)
        finally:
            stop.set()
            asking.join()
        assert failures == []
        assert set(answers) == {("one", 0.25), ("two", 0.75)}
        assert answers[-1][0] == "one"
        assert metric(service, 'phonoscope_bundle_swaps_total{outcome="done"}') == 2
        assert "off the golden one" in service.log_path.read_text()


def test_a_bundle_never_answers_out_of_what_another_has_computed(bundles, tmp_path):
    link = tmp_path / "current"
    point(link, bundles / "one")
    arguments = ["--model-repository", str(link), "--watch", "--threads", "1", "--device", "cpu"]
    arguments += ["--remember-s", "3600"]
    hits = 'phonoscope_remembered_total{kind="explain",outcome="hit"}'
    with running_service(arguments) as service, grpc.insecure_channel(service.address) as channel:
        stub = ExplainerServiceStub(channel)
        assert stub.Explain(EXPLAIN) == stub.Explain(EXPLAIN)
        known = metric(service, hits)
        assert known
        point(link, bundles / "two")
        wait_until(lambda: stub.DescribeBundle(DescribeBundleRequest()).bundle.name == "two")
        wait_until(lambda: metric(service, "phonoscope_bundles_loaded") == 1)
        assert metric(service, "phonoscope_remembered_bytes") == 0
        answer = stub.Explain(EXPLAIN)
        assert (answer.bundle.name, answer.threshold) == ("two", 0.75)
        assert metric(service, hits) == known
