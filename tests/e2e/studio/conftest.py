"""One studio with the song that ships, and its page anew for each test, which ends with a quiet console."""

from __future__ import annotations

import pytest
from phonoscope_client import demo
from support.services.studio_page import StudioPage, running_studio


@pytest.fixture(scope="session")
def studio(service):
    with running_studio(demo.SONG, "--server", service.address) as address:
        yield address


@pytest.fixture
def page(browser, studio):
    opened = StudioPage(browser, studio)
    yield opened
    complaints = opened.complaints()
    opened.leave()
    assert complaints == []
