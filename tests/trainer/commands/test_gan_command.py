"""`gan` in miniature: what it leaves behind."""

from __future__ import annotations

import json

import torch
from phonoscope_trainer.cli import main
from phonoscope_trainer.recipes.gan.training import load_generator


def test_the_command_trains_on_labelled_and_unlabelled_music_and_keeps_its_options(miniature):
    step = (
        "gan --run runs/gan --detector runs/detector --kernels 5x5 --iterations 2 --critic-updates 1 --batch 2"
        " --judged-excerpts 4 --bfloat16 --averaging 0.9 --threads 1"
    )
    assert main(step.split()) == 0, step
    assert json.loads((miniature / "runs/gan/options.json").read_text())["corpora"] == ["rendered"]
    assert load_generator(miniature / "runs/gan")(torch.zeros(1, 128)).shape == (1, 115, 80)
    assert list((miniature / "runs/gan").glob("events.*"))
