"""The Helm chart: rendered by Helm's own code for every example of values, and held against Kubernetes' own schemas."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from phonoscope_serving.command_line import get_parser
from support.images import command

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
KUBERNETES = ("1.35", "1.36", "1.37")  # those that people still mend, and whose schemas are at hand

WITHOUT = "`make chart` installs what renders and validates the chart"
helm = pytest.importorskip("helm_python", reason=WITHOUT)
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason=WITHOUT)
operator = pytest.importorskip("cloudcoil.models.prometheus_operator.v1", reason=WITHOUT)


def rendered(values, name="demo"):
    """Kind → object of a release."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name=name, namespace="music")
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    objects = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return {each["kind"]: each for each in objects}


def example(name):
    return rendered(yaml.safe_load((CHART / "examples" / f"{name}.yaml").read_text()))


def pod(objects):
    return objects["Deployment"]["spec"]["template"]["spec"]


def test_helm_finds_nothing_wrong_with_the_chart():
    found = helm.lint(str(CHART))
    assert found["errors"] == []
    assert [each["error"] for each in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_what_is_rendered_is_what_kubernetes_takes(values, version):
    objects = rendered(yaml.safe_load(values.read_text()))
    assert {"Deployment", "Service", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget"} <= set(objects)
    for each in objects.values():
        if not each["apiVersion"].startswith("monitoring.coreos.com/"):
            kubernetes_validate.validate(each, version, strict=True)


def test_the_oldest_kubernetes_that_the_chart_admits_takes_it():
    oldest = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    assert oldest == ">=1.30.0-0"
    for each in example("plain").values():
        kubernetes_validate.validate(each, "1.30", strict=True)


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PrometheusRule"])
def test_what_is_rendered_is_what_the_prometheus_operator_takes(kind):
    given = example("full")[kind]
    read = getattr(operator, kind).model_validate(given)
    # What the operator has no field for would be dropped.
    assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == given


def test_the_rules_and_the_dashboard_are_the_ones_beside_the_chart():
    objects = example("full")
    assert objects["PrometheusRule"]["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
    text = (ROOT / "deploy/grafana/dashboard.json").read_text()
    assert objects["ConfigMap"]["data"]["phonoscope.json"].strip() == text.strip()


def test_the_job_is_named_as_the_rules_expect():
    objects = example("full")
    label = objects["ServiceMonitor"]["spec"]["jobLabel"]
    assert objects["Service"]["metadata"]["labels"][label].startswith("phonoscope")
    monitored = objects["ServiceMonitor"]["spec"]["endpoints"][0]["port"]
    assert monitored in {port["name"] for port in objects["Service"]["spec"]["ports"]}


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_pods_run_without_rights_on_a_root_they_cannot_write(values):
    spec = pod(rendered(yaml.safe_load(values.read_text())))
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(mount.get("readOnly") or mount["mountPath"] == "/tmp" for mount in container["volumeMounts"])


@pytest.mark.parametrize("values", EXAMPLES, ids=lambda path: path.stem)
def test_the_service_takes_the_options_its_pods_give_it(values):
    (container,) = pod(rendered(yaml.safe_load(values.read_text())))["containers"]
    target = container["image"].rpartition("-")[2]
    options = get_parser().parse_args([*command(target, given=container["args"])])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert options.address == f"0.0.0.0:{ports['grpc']}"
    assert options.metrics_address == f"0.0.0.0:{ports['metrics']}"
    assert options.health_address == f"0.0.0.0:{ports['health']}"
    probes = [container[f"{probe}Probe"]["grpc"]["port"] for probe in ("startup", "readiness", "liveness")]
    assert probes == 3 * [ports["health"]]
    assert options.drain_s < pod(rendered(yaml.safe_load(values.read_text())))["terminationGracePeriodSeconds"]


def test_probes_ask_the_process_whether_to_restart_it_and_the_service_whether_to_send_calls():
    (container,) = pod(example("plain"))["containers"]
    assert container["readinessProbe"]["grpc"]["service"] == "phonoscope.v1.ExplainerService"
    assert "service" not in container["livenessProbe"]["grpc"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300


def test_the_service_is_headless_and_leads_to_the_pods():
    objects = example("plain")
    service = objects["Service"]["spec"]
    assert service["clusterIP"] == "None"
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    ports = {port["name"] for port in pod(objects)["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["ports"]} == ports - {"health"}


def test_pods_are_scaled_on_what_the_metrics_adapter_is_told_to_serve():
    metric = example("full")["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["pods"]["metric"]["name"]
    adapter = yaml.safe_load((ROOT / "deploy/prometheus/adapter.yaml").read_text())
    (rule,) = adapter["rules"]["custom"]
    assert rule["name"]["as"] == metric
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    assert rule["seriesQuery"].partition("{")[0] in {each.get("record") for group in rules for each in group["rules"]}
    assert "replicas" not in example("full")["Deployment"]["spec"]


def test_secrets_are_mounted_where_the_options_say():
    (container,) = pod(example("secured"))["containers"]
    options = get_parser().parse_args(container["args"])
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    files = (options.tls_certificate, options.tls_key, options.tls_client_authority, options.token_file)
    assert {str(file.parent) for file in (*files, options.require_signature)} == mounted - {"/models", "/tmp"}
    assert options.no_reflection
    assert options.traces == "http://collector.tracing:4317"


def test_only_named_peers_reach_a_pod_and_it_reaches_nobody_but_its_triton_server():
    plain, triton = (example(name)["NetworkPolicy"]["spec"] for name in ("plain", "triton"))
    assert plain["policyTypes"] == ["Ingress", "Egress"]
    assert {port["port"] for rule in plain["ingress"] for port in rule["ports"]} == {"grpc", "metrics"}
    assert all(rule["from"] for rule in plain["ingress"])
    assert plain["egress"] is None
    assert {port["port"] for rule in triton["egress"] for port in rule["ports"]} == {53, 8001}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "exactly one of bundle.claim and bundle.image"),
        ({"bundle": {"claim": "a", "image": "b"}}, "exactly one of bundle.claim and bundle.image"),
        ({"bundle": {"claim": "a"}, "engine": {"kind": "triton"}}, "engine.triton, its address, go together"),
        ({"bundle": {"claim": "a"}, "engine": {"kind": "abacus"}}, "'onnx', 'triton'"),
        ({"bundle": {"claim": "a"}, "security": {"clientAuthority": True}}, "clientAuthority needs tlsSecret"),
        ({"bundle": {"claim": "a"}, "replica": 3}, "'replica' not allowed"),
    ],
)
def test_values_that_cannot_work_are_refused(values, message):
    with pytest.raises(helm.HelmError, match=message):
        rendered(values)
