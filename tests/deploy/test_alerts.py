"""Alerts: promtool's own tests of the rules, and a real Prometheus that fires each when its fault is injected."""

from __future__ import annotations

import math
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from phonoscope.v1.explanation_pb2 import EVIDENCE_KEPT, EVIDENCE_MEAN_FILL, ExplainRequest
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope_client import demo
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.exchange import EXCHANGED
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from support.bundles.repository import REPOSITORY
from support.corpora.sound import encoded, file, pcm
from support.services.faults import failing, faulty_services, output_changed, refusing, slow
from support.services.prometheus import prometheus
from support.services.running import wait_until
from support.system_programs import program

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
OPERATING = RULES.parents[2] / "docs" / "operating.md"
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FASTER, SHORTEST_S = 60, 5  # how much faster than the shipped rules these look; a rate wants a few scrapes
ALERTS = {
    rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule
}


def shortened(rules):
    """The same rules with every window and every wait some sixty times shorter."""

    def window(match):
        seconds = max(SHORTEST_S, int(match[1]) * UNITS_S[match[2]] // FASTER)
        return f"[{seconds}s]"

    def wait(match):
        return f"for: {math.ceil(int(match[1]) * UNITS_S[match[2]] / FASTER)}s"

    return re.sub(r"\bfor: (\d+)([smhd])", wait, re.sub(r"\[(\d+)([smhd])\]", window, rules))


def promtool(*arguments):
    return subprocess.run([program("promtool", "prometheus"), *arguments], capture_output=True, text=True, check=False)


def test_alerts_are_rules_that_prometheus_takes():
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_pass_their_unit_tests():
    done = promtool("test", "rules", str(RULES.with_name("alerts_test.yaml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_have_a_unit_test_in_which_they_fire_and_one_in_which_they_are_silent():
    fires, silent = set(), set()
    for test in yaml.safe_load(RULES.with_name("alerts_test.yaml").read_text())["tests"]:
        for case in test.get("alert_rule_test", ()):
            (fires if case.get("exp_alerts") else silent).add(case["alertname"])
    assert fires == silent == ALERTS


def test_alerts_are_explained_to_operators():
    explained = re.findall(r"^\| `(Phonoscope\w+)` \|", OPERATING.read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(ALERTS)


def song(seconds=4):
    samples, rate_hz = soundfile.read(demo.SONG, dtype="float32")
    return samples[round((demo.AT_S - seconds / 2) * rate_hz) :][: seconds * rate_hz]


def explain(evidence=EVIDENCE_MEAN_FILL):
    """What most callers here ask: the cheapest evidence, for there are many of them."""
    return "Explain", ExplainRequest(audio=pcm(song()), at_s=2.0, evidence=evidence)


TONE = ExplainRequest(audio=pcm(0.1 * np.sin(np.arange(4 * 22050) / 10)), at_s=2.0, evidence=EVIDENCE_MEAN_FILL)
INVERT = "InvertLayers", InvertLayersRequest(audio=pcm(song()), at_s=2.0)
# The part that is explained is whole.
CUT_OFF = ExplainRequest(audio=file(encoded(song(5), 22050)[: -2 * 22050]), at_s=2.0, evidence=EVIDENCE_MEAN_FILL)
WORSE = output_changed("reconstruction_error", lambda error: 4 * error)
# Job → what its callers ask, what goes wrong, and the alerts that must fire of it, and no others.
FAULTS = {
    "well": (explain(), None, set()),
    "down": (explain(), {}, {"PhonoscopeDown"}),
    "slow": (explain(), {"fault": slow}, {"PhonoscopeLatencyBurnsFast", "PhonoscopeLatencyBurnsSlowly"}),
    "failing": (explain(), {"fault": failing}, {"PhonoscopeEngineFailing", "PhonoscopeNotServing"}),
    "refusing": (explain(), {"fault": refusing}, {"PhonoscopeRefusesCalls"}),
    "misheard": (explain(), {"fault": WORSE}, {"PhonoscopeExplanationQualityFallen"}),
    "misinverted": (INVERT, {"fault": WORSE}, {"PhonoscopeInversionQualityFallen"}),
    "lost": (
        explain(EVIDENCE_KEPT),
        {"fault": output_changed("probability", lambda carried: 0 * carried, model=EXCHANGED)},
        {"PhonoscopeRegionsCarryLess"},
    ),
    # What no bundle knows is also rebuilt badly.
    "strange": (
        explain(),
        {"request": TONE},
        {"PhonoscopeOutOfDistribution", "PhonoscopeExplanationQualityFallen"},
    ),
    "offered junk": (explain(), {"offered": "junk"}, {"PhonoscopeBundleRefused"}),
    "cut off": (explain(), {"request": CUT_OFF}, {"PhonoscopeInputWarnings"}),
}
# What fires for a service that is well, too, where other tests keep the machine so busy that nothing is on time.
BUSY = {"PhonoscopeDown", "PhonoscopeLatencyBurnsFast", "PhonoscopeLatencyBurnsSlowly"}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A service for each fault, and the Prometheus that watches them; all are well until it has looked for a while."""
    program("prometheus", "prometheus")  # or all this would be started for nothing
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "alerts.yaml").write_text(shortened(RULES.read_text()))
    (folder / "junk").mkdir()
    (folder / "junk" / "MANIFEST.json").write_text("no manifest")
    bundle = load_bundle(REPOSITORY)
    bare = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), Metrics())
    bare.load()
    with faulty_services(bundle, bare, {job: asked for job, (asked, *_) in FAULTS.items()}) as services:
        targets = {f"phonoscope-{job}": service.metrics_address for job, service in services.items()}
        with prometheus(folder, targets, rules=folder / "alerts.yaml", interval_s=1) as running:
            running.ask(f"count(up == 1) == {len(FAULTS)}")
            running.ask('sum(increase(phonoscope_explanations_total{job="phonoscope-well"}[30s])) > 12')
            time.sleep(20)  # the longest wait of a rule, and more: whatever fired without a fault would fire by now
            assert set().union(*firing(running).values()) <= BUSY
            for job, (_, fault, _) in FAULTS.items():
                if fault is not None:
                    services[job].break_down(**fault | {k: folder / v for k, v in fault.items() if k == "offered"})
            yield running


def firing(running):
    """Job → the alerts that fire for it."""
    fired = {}
    for sample in running.samples('ALERTS{alertstate="firing"}'):
        job = sample["metric"]["job"].removeprefix("phonoscope-")
        fired.setdefault(job, set()).add(sample["metric"]["alertname"])
    return fired


def test_alerts_each_have_a_fault_that_is_injected():
    assert set().union(*(alerts for *_, alerts in FAULTS.values())) == ALERTS


@pytest.mark.e2e
@pytest.mark.parametrize("job", FAULTS)
def test_alerts_fire_when_their_fault_is_injected_and_no_others(watched, job):
    expected = FAULTS[job][-1]
    wait_until(lambda: firing(watched).get(job, set()) >= expected, look_every_s=0.5)
    assert firing(watched).get(job, set()) - BUSY == expected - BUSY
