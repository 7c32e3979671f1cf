"""The metrics' port: what it answers, and what those who never finish may keep of it."""

import asyncio
import gzip
import urllib.request
from contextlib import suppress

import pytest
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.listening.metrics_port import MOST_CONNECTIONS, MetricsPort
from prometheus_client import CollectorRegistry, Gauge

PATIENCE_S = 600.0


def registry(lines=1):
    registry = CollectorRegistry()
    gauge = Gauge("answer", "To everything.", ["line"], registry=registry)
    for line in range(lines):
        gauge.labels(line).set(42)
    return registry


@pytest.fixture
async def port():
    port = MetricsPort(registry())
    yield await port.start("127.0.0.1:0")
    await port.close()


def read(address, path="/metrics", **headers):
    request = urllib.request.Request(f"http://{address}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return answer.headers, answer.read()


async def connected(address):
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_prometheus_is_answered_in_the_format_it_asks_for(port):
    headers, plain = await asyncio.to_thread(read, port)
    assert headers["Content-Type"].startswith("text/plain")
    assert b'answer{line="0"} 42.0\n' in plain
    headers, made = await asyncio.to_thread(read, port, Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert made.endswith(b"# EOF\n")
    headers, small = await asyncio.to_thread(lambda: read(port, **{"Accept-Encoding": "gzip"}))
    assert gzip.decompress(small) == plain


async def test_other_methods_are_refused(port):
    reader, writer = await connected(port)
    writer.write(b"DELETE / HTTP/1.1\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 405 ")
    writer.close()


@pytest.mark.parametrize("nonsense", [b"nonsense\r\n\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"x" * 100_000])
async def test_attack_nonsense_ends_the_connection_and_nothing_else(port, nonsense):
    reader, writer = await connected(port)
    writer.write(nonsense)
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert await asyncio.to_thread(read, port)


async def test_attack_who_sends_nothing_is_ended():
    port = MetricsPort(registry(), request_s=0.1)
    address = await port.start("127.0.0.1:0")
    reader, writer = await connected(address)
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()
    await port.close()


async def test_attack_connections_that_say_nothing_do_not_keep_prometheus_out(port):
    silent = [await connected(port) for _ in range(3 * MOST_CONNECTIONS)]
    assert await asyncio.to_thread(read, port)
    ended = 0
    for reader, writer in silent[: 2 * MOST_CONNECTIONS]:
        ended += await reader.read() == b""
        writer.close()
    assert ended == 2 * MOST_CONNECTIONS
    for _, writer in silent[2 * MOST_CONNECTIONS :]:
        writer.close()


async def test_closing_ends_what_is_open():
    port = MetricsPort(registry())
    reader, writer = await connected(await port.start("127.0.0.1:0"))
    await asyncio.sleep(0.1)
    await port.close()
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    "address", ["127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1", "nowhere.invalid:0", "192.0.2.1:0"]
)
async def test_an_address_that_cannot_be_is_an_error_in_words(address):
    with pytest.raises(OptionsError, match=f"metrics address: cannot listen on {address}: "):
        await MetricsPort(registry()).start(address)
