"""The real service, started once, and a song to ask it about."""

from pathlib import Path

import numpy as np
import pytest
from phonoscope_client import Client, running_service
from phonoscope_client.results.parts import wav

MODEL_REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"


@pytest.fixture(scope="session")
def service_address():
    arguments = ["--model-repository", str(MODEL_REPOSITORY), "--threads", "1"]
    with running_service(arguments) as service:
        yield service.address


@pytest.fixture(scope="session")
def client(service_address):
    with Client(service_address, timeout_s=600) as opened:
        yield opened


@pytest.fixture(scope="session")
def tone():
    """Eight seconds of a harmonic tone with vibrato, coming and going, over faint noise: `[N]` at 22 050 Hz."""
    time_s = np.arange(8 * 22050) / 22050
    phase = 2 * np.pi * 220 * time_s + 4 * np.sin(2 * np.pi * 5.5 * time_s)
    tone = sum(np.sin(number * phase) / number for number in range(1, 12)) * (np.sin(np.pi * time_s / 2) ** 2)
    noise = np.random.default_rng(3).normal(size=len(time_s))
    return (0.2 * tone + 0.01 * noise).astype(np.float32)


@pytest.fixture(scope="session")
def song(tone, tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "a tone & more.wav"
    path.write_bytes(wav(tone, 22050))
    return path
