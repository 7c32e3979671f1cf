"""What a newcomer does first: the demo, the README's session, one song through the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from phonoscope_client import Client, Explanation, demo

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def address(service):
    return service.address


def test_the_demo_explains_the_song_that_ships(demo_folder):
    summary = json.loads((demo_folder / "summary.json").read_text())
    assert summary["label"] == "vocal"
    assert summary["probability"] > summary["threshold"]
    assert 0 < summary["trust"]["relative_area"] < 1
    assert isinstance(summary["trust"]["label_kept"], bool)
    assert (
        summary["bundle"]["digest"] == json.loads((ROOT / "model_repository" / "MANIFEST.json").read_text())["digest"]
    )


def test_the_demo_leaves_sound_to_listen_to(demo_folder):
    samples, rate = soundfile.read(demo_folder / "explanation.wav")
    original, _ = soundfile.read(demo_folder / "original.wav")
    assert rate == 22050
    assert len(samples) == len(original) == 36934
    assert 0 < np.sqrt(np.mean(samples**2)) <= np.sqrt(np.mean(original**2)) * 1.05
    assert np.abs(samples).max() <= 1


def test_the_demos_report_loads_nothing_from_elsewhere(demo_folder):
    page = (demo_folder / "report.html").read_text()
    assert page.count("<audio") >= 2
    assert not re.search(r"""(src|href)=["']?https?:""", page)


def test_the_readmes_session_runs_as_printed(address, tmp_path, monkeypatch, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SONG.mp3").symlink_to(demo.SONG)
    exec(
        block.replace('"127.0.0.1:50051"', f'"{address}", timeout_s=600').replace("at_s=34.0", f"at_s={demo.AT_S}"), {}
    )
    assert "vocal" in capsys.readouterr().out
    assert Explanation.load(tmp_path / "why.npz").label == "vocal"


def test_every_verb_of_the_readme_is_one_of_the_makefile():
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for verb in set(re.findall(r"`?make ([a-z-]+)`?", readme)):
        assert re.search(rf"^{verb}:", makefile, flags=re.MULTILINE), verb


def test_an_explanation_and_the_curve_agree_on_the_same_moment(address):
    with Client(address, timeout_s=600) as client:
        curve, why = client.predict(demo.SONG), client.explain(demo.SONG, demo.AT_S)
    frame = round(why.at_s * curve.frames_per_second)
    assert why.probability == pytest.approx(curve.probability[frame], abs=1e-4)


@pytest.mark.parametrize("rule", [{"alpha": 0.3}, {"alpha": "keep-label"}, {"maximum_area": 0.2}])
@pytest.mark.parametrize("masking", ["m1", "m2"])
def test_every_rule_gives_a_region_and_its_evidence(address, rule, masking):
    with Client(address, timeout_s=600) as client:
        why = client.explain(demo.SONG, demo.AT_S, masking=masking, **rule)
    assert why.mask.mean() == pytest.approx(why.trust.relative_area, abs=1e-6)
    assert set(np.unique(why.mask)) <= {0.0, 1.0}
    if "maximum_area" in rule:
        assert why.trust.relative_area <= 0.2
    if rule.get("alpha") == "keep-label":
        assert why.trust.label_kept
