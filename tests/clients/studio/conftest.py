"""One studio with one song, for all tests that leave it as it is."""

import pytest
from support.services.studio import running_studio


@pytest.fixture(scope="session")
def studio(service_address, song):
    with running_studio(song, "--server", service_address, "--timeout-s", "600") as running:
        yield running


@pytest.fixture(scope="session")
def visitor(studio):
    return studio.visitor()


@pytest.fixture(scope="session")
def number(visitor):
    """Of the song, among others."""
    song = visitor.get("/api/songs").json[0]  # others are dropped on the way
    return song["id"]


@pytest.fixture(scope="session")
def heard(visitor, number):
    """The parts of what is said along the song."""
    return visitor.lines(f"/api/songs/{number}/track")
