"""Services on a bundle with other music, and on one without."""

import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from support.bundles.exchanging import bundle_that_exchanges, bundle_without_exchange
from support.services.running import running


@pytest.fixture(scope="package")
def exchanging_bundle(tmp_path_factory):
    return load_bundle(bundle_that_exchanges(tmp_path_factory.mktemp("exchanging")))


@pytest.fixture(scope="package")
def exchanging(exchanging_bundle):
    with running(exchanging_bundle, device="cpu", threads=1) as service:
        yield service


@pytest.fixture(scope="package")
def masking_only(tmp_path_factory):
    bundle = load_bundle(bundle_without_exchange(tmp_path_factory.mktemp("masking")))
    with running(bundle, device="cpu", threads=1) as service:
        yield service
