"""A folder that is watched: what is taken, and what is not taken twice."""

import asyncio
from contextlib import suppress

import pytest
from phonoscope_serving.errors import BundleError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.swapping import watching
from phonoscope_serving.service.swapping.watching import mark, watch


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(watching, "LOOK_S", 0.01)


def put(root, name, content="{}"):
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / "MANIFEST.json").write_text(content)
    return folder


def point(link, folder):
    beside = link.with_name("beside")
    beside.symlink_to(folder)
    beside.replace(link)


async def taken_after(link, change, refuse=()):
    """Which folders were taken once something has changed, and the metrics."""
    taken, metrics = [], Metrics()

    async def take(folder):
        taken.append(folder.name)
        if folder.name in refuse:
            raise BundleError(f"{folder.name} is wrong")
        return True

    watcher = asyncio.create_task(watch(link, mark(link), take, metrics))
    await asyncio.sleep(0.1)
    assert taken == []
    await change(taken)
    watcher.cancel()
    with suppress(asyncio.CancelledError):
        await watcher
    return taken, metrics


async def until(holds):
    while not holds():
        await asyncio.sleep(0.01)


async def test_a_link_that_points_elsewhere_is_followed_once(tmp_path):
    link = tmp_path / "current"
    point(link, put(tmp_path, "old"))

    async def change(taken):
        point(link, put(tmp_path, "new"))
        await until(lambda: taken)
        await asyncio.sleep(0.1)

    taken, metrics = await taken_after(link, change)
    assert taken == ["new"]
    assert metrics.registry.get_sample_value("phonoscope_bundle_swaps_total", {"outcome": "done"}) == 1


async def test_what_is_refused_is_looked_at_again_only_when_its_manifest_has_changed(tmp_path):
    link = tmp_path / "current"
    point(link, put(tmp_path, "old"))

    async def change(taken):
        folder = put(tmp_path, "bad")
        point(link, folder)
        await until(lambda: taken)
        await asyncio.sleep(0.1)
        assert taken == ["bad"]
        put(tmp_path, "bad", '{"mended": true}')
        await until(lambda: len(taken) == 2)

    taken, metrics = await taken_after(link, change, refuse=["bad"])
    assert taken == ["bad", "bad"]
    assert metrics.registry.get_sample_value("phonoscope_bundle_swaps_total", {"outcome": "refused"}) == 2
    assert metrics.registry.get_sample_value("phonoscope_bundle_refused") == 1


async def test_a_bundle_counts_as_refused_until_one_is_taken(tmp_path):
    link = tmp_path / "current"
    point(link, put(tmp_path, "old"))

    async def change(taken):
        point(link, put(tmp_path, "bad"))
        await until(lambda: taken == ["bad"])
        point(link, put(tmp_path, "good"))
        await until(lambda: taken == ["bad", "good"])
        await asyncio.sleep(0.1)

    _, metrics = await taken_after(link, change, refuse=["bad"])
    assert metrics.registry.get_sample_value("phonoscope_bundle_refused") == 0


async def test_a_folder_that_is_away_for_a_moment_is_waited_for(tmp_path):
    folder = put(tmp_path, "bundle")

    async def change(taken):
        folder.rename(tmp_path / "away")
        await asyncio.sleep(0.1)
        put(tmp_path, "bundle", '{"another": 1}')
        await until(lambda: taken)

    taken, _ = await taken_after(folder, change)
    assert taken == ["bundle"]
