"""The compositions, as Compose itself reads them; no engine starts them here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support.system_programs import program

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "compose.monitoring.yaml"


def composed(*files):
    """What Compose makes of some files together."""
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("docker-compose is not installed; `make chart` installs it")
    command = [compose, *(f"--file={ROOT / file}" for file in files), "config", "--format=json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_compose_reads_the_service_without_a_warning():
    assert set(composed("compose.yaml")["services"]) == {"triton", "phonoscope"}


def test_prometheus_and_grafana_stand_beside_the_service():
    services = composed("compose.yaml", "deploy/compose.monitoring.yaml")["services"]
    assert set(services) == {"triton", "phonoscope", "prometheus", "grafana"}
    for name in ("prometheus", "grafana"):
        mounted = [each for each in services[name]["volumes"] if each["type"] == "bind"]
        assert all(Path(each["source"]).exists() and each["read_only"] for each in mounted)
        assert {port["host_ip"] for port in services[name]["ports"]} == {"127.0.0.1"}
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"]


def mounted_at(service):
    """Path in the container → path in the repository."""
    volumes = yaml.safe_load(MONITORING.read_text())["services"][service]["volumes"]
    parts = [volume.split(":") for volume in volumes]
    return {inside: ROOT / outside for outside, inside, *_ in parts if outside.startswith(".")}


def test_prometheus_takes_its_file_which_names_the_service_and_the_rules(tmp_path):
    mounted = mounted_at("prometheus")
    config = yaml.safe_load(mounted["/etc/prometheus/prometheus.yml"].read_text())
    (job,) = config["scrape_configs"]
    assert job["job_name"].startswith("phonoscope")
    name, _, port = job["static_configs"][0]["targets"][0].partition(":")
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"][name]
    assert port in {publish.rpartition(":")[2] for publish in service["ports"]}
    config["rule_files"] = [str(mounted[path]) for path in config["rule_files"]]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [program("promtool", "prometheus"), "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_is_given_its_dashboard_and_the_prometheus_beside_it():
    mounted = mounted_at("grafana")
    provisioning = mounted["/etc/grafana/provisioning"]
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards/phonoscope.yaml").read_text())["providers"]
    assert any(path.startswith(provider["options"]["path"]) for path in mounted)
