"""One small repository for every service that is attacked."""

import pytest
from support.bundles.repository import small


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    return small(tmp_path_factory.mktemp("small"))
