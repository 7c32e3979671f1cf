"""Where training runs, and what it says of how busy the machine is."""

from __future__ import annotations

import pytest
import torch
from phonoscope_trainer.cli import main
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.recipes.devices import Utilisation, chosen_device, loaders

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@without_gpu
def test_without_a_gpu_everything_runs_on_the_cpu():
    assert chosen_device("auto") == chosen_device("cpu") == torch.device("cpu")


@without_gpu
def test_a_gpu_that_is_not_there_is_refused_before_anything_is_read(monkeypatch, tmp_path, capsys):
    with pytest.raises(OptionsError, match="device: cuda"):
        chosen_device("cuda")
    monkeypatch.chdir(tmp_path)
    assert main(["detector", "--run", "run", "--corpora", "rendered", "--device", "cuda"]) == 1
    assert "no GPU" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_one_thread_draws_batches_beside_a_cpu_and_several_beside_a_gpu():
    assert loaders(torch.device("cpu")) == 1
    assert loaders(torch.device("cuda")) >= 1


def test_every_batch_is_passed_on_and_shares_are_shares():
    usage = Utilisation(torch.device("cpu"))
    assert list(usage.waiting_for(iter("abc"))) == ["a", "b", "c"]
    first, second = usage.read(), usage.read()
    assert set(first) == {"data_wait_share", "cpu_utilisation"}
    assert 0 < first["data_wait_share"] <= 1
    assert second["data_wait_share"] == 0
