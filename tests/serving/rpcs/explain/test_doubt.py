"""How far an answer is to be doubted, as a service tells it, and as one does whose bundle cannot."""

import numpy as np
import pytest
from phonoscope.v1.explanation_pb2 import EVIDENCE_KEPT, ExplainRequest, RegionChoice
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import BundleError
from phonoscope_serving.metrics import Metrics
from support.bundles.doubting import QUANTILES, bundle_that_doubts, bundle_without_doubt
from support.bundles.judged import judged
from support.bundles.repository import edit_manifest, replace
from support.corpora.sound import pcm
from support.corpora.sound_files import song
from support.services.running import running

SONG = song(5, start_s=33.5)
MEASURED = {"probability": 0.7, "masked_probability": 0.6, "relative_area": 0.3, "reconstruction_error": 1.0}


@pytest.fixture(scope="module")
def doubting(tmp_path_factory):
    return load_bundle(bundle_that_doubts(tmp_path_factory.mktemp("doubting")))


@pytest.fixture(scope="module")
def service(doubting):
    with running(doubting, device="cpu", threads=1) as service:
        yield service


def ask(service, **options):
    return service.stub.Explain(ExplainRequest(audio=pcm(SONG), at_s=2.5, evidence=EVIDENCE_KEPT, **options))


@pytest.mark.parametrize("region", [RegionChoice(alpha=0.5), RegionChoice(largest_alpha_that_keeps_label=True)])
def test_doubt_is_what_the_graph_says_of_the_detectors_layers(service, doubting, region):
    engine = OnnxEngine(doubting, OnnxOptions(device="cpu", threads=1), Metrics())
    engine.load()
    samples = SONG[None, (175 - 57) * 315 :][:, :36934]
    standardised = engine.run("frontend", {"samples": samples})["standardised"]
    layers = engine.run("detector", {"excerpt": standardised})
    expected = engine.run("doubt", {"excerpt": standardised} | {name: layers[name] for name in ("mp6", "fc7", "logit")})
    found = ask(service, region=region).trust.doubt
    for name in ("doubt", "wrong", "foreign"):
        assert getattr(found, name) == pytest.approx(float(expected[name][0, 0]), abs=1e-4), name
    assert found.percentile == pytest.approx(np.interp(found.doubt, QUANTILES, np.linspace(0, 1, 101)), abs=1e-4)


def test_it_is_measured(service, doubting):
    def counted():
        return service.count("phonoscope_doubt_count", bundle=doubting.name, listener="detector")

    before = counted()
    ask(service)
    assert counted() == before + 1


def weighed(bundle, doubt=None, **measured):
    chances = {} if doubt is None else {"doubt": doubt, "wrong": 0.2, "foreign": 0.1}
    return judged(MEASURED | chances | measured, bundle.default, 11)


def test_more_doubt_than_about_99_percent_is_out_of_distribution_however_well_it_inverts(doubting):
    limit = float(doubting.default.doubt_quantiles[99])
    worst = float(doubting.default.reconstruction_error_quantiles[100]) + 1
    assert not weighed(doubting, limit, reconstruction_error=worst).out_of_distribution
    assert weighed(doubting, limit + 1e-3, reconstruction_error=0.0).out_of_distribution
    assert weighed(doubting, 0.305).doubt.percentile == pytest.approx(0.305, abs=1e-4)


def test_a_bundle_of_before_serves_without_it(tmp_path):
    bundle = load_bundle(bundle_without_doubt(tmp_path))
    trust = weighed(bundle, reconstruction_error=float(bundle.default.reconstruction_error_quantiles[100]) + 1)
    assert trust.doubt is None
    assert trust.out_of_distribution, "as far as its inversion tells"


def test_a_manifest_that_speaks_of_doubt_must_have_it(tmp_path):
    root = bundle_that_doubts(tmp_path)
    edit_manifest(root, doubt={"quantiles": [0.5]})
    with pytest.raises(BundleError, match=r"doubt\.quantiles must be 101 ascending numbers"):
        load_bundle(root)
    edit_manifest(root, doubt={"quantiles": QUANTILES})
    replace(root, "explain_masker/config.pbtxt", 'name: "foreign"', 'name: "strange"')
    with pytest.raises(BundleError, match="entry doubt, but explain_masker has no output foreign"):
        load_bundle(root)
