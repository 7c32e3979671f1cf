"""The circuit breaker, on a client of no server: no real one goes and comes back when it is told to, to the moment."""

import asyncio
from types import SimpleNamespace

import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.triton.comparison import Comparison
from phonoscope_serving.errors import EngineLost
from support.bundles.repository import REPOSITORY
from support.services.running import HANG_S
from tritonclient.utils import InferenceServerException

LATER_S = 3600.0


class Client:
    """Answers with the bundle's own configs, while it is not away."""

    def __init__(self, bundle):
        self._bundle, self.is_away, self.asked, self.missing = bundle, False, 0, ""

    async def is_server_ready(self, client_timeout=None):
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise InferenceServerException("connection refused", "StatusCode.UNAVAILABLE")
        return True

    async def get_model_config(self, name, client_timeout=None):
        if name == self.missing:
            raise InferenceServerException("not found", "StatusCode.NOT_FOUND")
        return SimpleNamespace(config=self._bundle.models[name])


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(REPOSITORY)


@pytest.fixture
def client(bundle):
    return Client(bundle)


@pytest.fixture
def told():
    return []


@pytest.fixture
async def comparison(bundle, client, told):
    comparison = Comparison(bundle, "127.0.0.1:9", told.append)
    await comparison.begin(client, LATER_S)
    yield comparison
    await comparison.close()


async def becomes(told, is_available):
    async with asyncio.timeout(HANG_S):
        while told[-1] is not is_available:
            await asyncio.sleep(0.01)


async def test_a_known_server_is_not_asked_again(comparison, client, told):
    asked = client.asked
    for _ in range(3):
        await comparison.require(client, LATER_S, None)
    assert (client.asked, told) == (asked, [True])


async def test_a_server_that_is_back_in_time_is_waited_for(comparison, client, told):
    client.is_away = True
    comparison.forget()
    waiting = [asyncio.create_task(comparison.require(client, LATER_S, None)) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert not any(each.done() for each in waiting)
    client.is_away = False
    await asyncio.gather(*waiting)
    assert False not in told


async def test_attack_a_server_that_is_away_is_not_waited_for_by_everybody(comparison, client, told):
    client.is_away = True
    comparison.forget()
    with pytest.raises(EngineLost):
        await comparison.require(client, 0.1, None)
    await becomes(told, False)
    for _ in range(100):  # at once: it would be ten seconds otherwise, and nobody else has a turn meanwhile
        asked = client.asked
        with pytest.raises(EngineLost):
            await comparison.require(client, 0.1, None)
        assert client.asked == asked
    with pytest.raises(EngineLost, match=r"was not ready within 0\.1 s"):
        await comparison.look(client, 0.1)
    client.is_away = False
    await becomes(told, True)  # by itself
    await comparison.require(client, LATER_S, None)


async def test_a_server_that_comes_back_with_something_else_is_refused_until_it_has_the_bundle(
    comparison, client, told
):
    client.missing = "detector"
    comparison.forget()
    for _ in range(2):
        with pytest.raises(EngineLost, match="has no model detector"):
            await comparison.require(client, LATER_S, None)
    client.missing = ""
    await becomes(told, True)
    await comparison.require(client, LATER_S, None)


async def test_a_look_opens_it_although_no_request_failed(comparison, client, told):
    await comparison.look(client, LATER_S)
    client.missing = "detector"
    with pytest.raises(EngineLost, match="has no model detector"):
        await comparison.look(client, LATER_S)
    with pytest.raises(EngineLost, match="has no model detector"):
        await comparison.require(client, LATER_S, None)
    client.missing = ""
    await becomes(told, True)


async def test_half_of_the_time_that_is_left_is_waited(comparison, client):
    client.is_away = True
    comparison.forget()
    now_s = asyncio.get_running_loop().time()
    with pytest.raises(EngineLost, match="does not answer"):
        await comparison.require(client, LATER_S, now_s + 0.2)
