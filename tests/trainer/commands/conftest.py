"""Runs in miniature, trained once and copied for every file of tests; graphs, exported once."""

from __future__ import annotations

import functools
import shutil

import pytest
from phonoscope_trainer.cli import main
from phonoscope_trainer.corpora.rendered.song import render_song
from support.bundles.graphs_once import GraphsOnce
from support.corpora.miniature_runs import STEPS, work_in

ERRORS_OF = 64  # validation excerpts, not thousands


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """What `STEPS` leave behind."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch)
        for step in STEPS:
            assert main(step.split()) == 0, step
    return folder


@pytest.fixture(scope="session")
def kept_exports(tmp_path_factory):
    """What exports have in common whatever is exported: graphs of the same weights, and the golden sound."""
    return GraphsOnce(tmp_path_factory.mktemp("graphs")), functools.cache(render_song)


@pytest.fixture(scope="module")
def miniature(trained, kept_exports, tmp_path_factory):
    """A file's own copy of what was trained, to work in."""
    with pytest.MonkeyPatch.context() as patch:
        folder = shutil.copytree(trained, tmp_path_factory.mktemp("miniature") / "work")
        work_in(folder, patch)
        for module in ("export.bundle", "recipes.maximisation.ascent"):
            patch.setattr(f"phonoscope_trainer.{module}.write_graph", kept_exports[0])
        patch.setattr("phonoscope_trainer.export.bundle.render_song", kept_exports[1])
        for module in ("explanation", "inversion"):
            patch.setattr(f"phonoscope_trainer.export.{module}.VALIDATION_EXCERPTS", ERRORS_OF)
        yield folder
