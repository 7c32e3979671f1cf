"""Music from a telephone or an old recording is told from singing, and the answer warns of what is missing."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from phonoscope_client import Client, Curve
from phonoscope_trainer.corpora.rendered import RenderOptions, render_song

SONGS = RenderOptions(shortest_s=12, longest_s=13)
SEED = 2026


@pytest.fixture(scope="module")
def accompaniments() -> list[np.ndarray]:
    return [render_song(SEED, index, SONGS).accompaniment for index in range(6)]


@pytest.fixture(params=[8000, 11025])
def curves(request, service, accompaniments) -> list[Curve]:
    with Client(service.address, timeout_s=600) as client:
        played = (soxr.resample(samples, SONGS.sample_rate_hz, request.param) for samples in accompaniments)
        return [client.predict((samples, request.param)) for samples in played]


def test_instrumentals_of_a_narrow_band_are_hardly_called_sung(curves):
    assert np.mean([curve.vocal_share for curve in curves]) <= 0.15


def test_a_narrow_band_is_warned_of(curves):
    for curve in curves:
        assert "narrow_band" in [warning.kind for warning in curve.warnings]
