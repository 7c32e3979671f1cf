"""The dashboard: every expression is one that Prometheus takes, of metrics that the service has."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.quality import Quality
from support.services.prometheus import prometheus
from support.system_programs import program

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
NAME = re.compile(r"\b(?:grpc_server|phonoscope|process)[a-z0-9_:]*")


def exported():
    """Names of the series that the service exports."""
    metrics = Metrics()
    Quality(metrics.registry)
    kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",), "gauge": ("",)}
    return {metric.name + ending for metric in metrics.registry.collect() for ending in kinds[metric.type]}


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *(rule["expr"] for rule in RULES)])
def test_expressions_name_metrics_that_are_there(expression):
    without_labels = re.sub(r"\b(by|without|on|ignoring|group_left) \([^)]*\)|\{[^}]*\}", "", expression)
    assert set(NAME.findall(without_labels)) <= exported() | RECORDED


def test_prometheus_takes_every_expression(tmp_path):
    program("prometheus", "prometheus")
    with prometheus(tmp_path, {}) as running:
        running.ask("vector(1)")
        for expression in EXPRESSIONS:
            running.samples(expression.replace("$__rate_interval", "1m").replace("$job", ".*"))


def test_panels_say_what_they_show_and_do_not_overlap():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["title"] and panel["description"] for panel in PANELS)
    places = sorted((p["gridPos"]["y"], p["gridPos"]["x"], p["gridPos"]["w"]) for p in DASHBOARD["panels"])
    assert all(a[0] < b[0] or a[1] + a[2] <= b[1] for a, b in pairwise(places))


def test_every_panel_asks_the_prometheus_that_was_chosen():
    asked = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert asked == {"${datasource}"}
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
