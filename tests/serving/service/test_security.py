from pathlib import Path

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.security import Security
from support.services.running import HANG_S, refusal, running, wait_until

REQUEST = DescribeBundleRequest()


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """An authority of the test's own, and a certificate for this machine: the paths of their PEM files."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    return folder


@pytest.fixture(scope="module")
def guarded(bundle, tmp_path_factory):
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text("first-token\nsecond-token\n")
    with running(bundle, device="cpu", threads=1, server_options={"security": Security(token_file=tokens)}) as service:
        yield service


@pytest.mark.parametrize("token", ["first-token", "second-token"])
def test_a_known_token_opens_the_service(guarded, token):
    assert guarded.stub.DescribeBundle(REQUEST, metadata=[("authorization", f"Bearer {token}")]).sample_rate_hz


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer ", "Bearer first", "first-token", "Basic first-token"])
def test_without_a_known_token_nothing_is_answered(guarded, given):
    metadata = [] if given is None else [("authorization", given)]
    error = refusal(guarded.stub.DescribeBundle, REQUEST, metadata=metadata)
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "bearer token is required" in error.details()


def test_refused_callers_are_counted(guarded):
    refusal(guarded.stub.DescribeBundle, REQUEST)
    labels = {"grpc_type": "unary", "grpc_service": "phonoscope.v1.ExplainerService"}
    labels |= {"grpc_method": "DescribeBundle", "grpc_code": "UNAUTHENTICATED"}
    wait_until(lambda: guarded.count("grpc_server_handled_total", **labels) >= 1)  # a little after they are told


def test_methods_nobody_serves_leave_no_trace_in_the_metrics(guarded):
    call = guarded.channel.unary_unary("/phonoscope.v1.ExplainerService/Invented")
    assert refusal(call, b"").code() is grpc.StatusCode.UNIMPLEMENTED
    methods = {s.labels.get("grpc_method") for m in guarded.metrics.registry.collect() for s in m.samples}
    assert "Invented" not in methods


def test_probes_need_no_token(guarded):
    health = health_pb2_grpc.HealthStub(guarded.channel)
    assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    assert next(health.Watch(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING


def test_the_contract_is_not_told_without_a_token(guarded):
    reflection = reflection_pb2_grpc.ServerReflectionStub(guarded.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    error = refusal(lambda: list(reflection.ServerReflectionInfo(iter([request]))))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


def test_tls_is_spoken(bundle, pem):
    credentials = grpc.ssl_channel_credentials((pem / "authority.pem").read_bytes())
    security = Security(certificate=pem / "certificate.pem", private_key=pem / "key.pem")
    with running(
        bundle, device="cpu", threads=1, server_options={"security": security}, credentials=credentials
    ) as service:
        assert service.stub.DescribeBundle(REQUEST).sample_rate_hz
        with grpc.insecure_channel(service.server.address) as plain:
            call = plain.unary_unary("/phonoscope.v1.ExplainerService/DescribeBundle")
            assert refusal(call, b"", timeout=HANG_S).code() is grpc.StatusCode.UNAVAILABLE


def test_mutual_tls_asks_callers_for_a_certificate(bundle, pem):
    authority, certificate, key = (pem / f"{name}.pem" for name in ("authority", "certificate", "key"))
    known = grpc.ssl_channel_credentials(authority.read_bytes(), key.read_bytes(), certificate.read_bytes())
    anonymous = grpc.ssl_channel_credentials(authority.read_bytes())
    security = Security(certificate=certificate, private_key=key, client_authority=authority)
    with running(bundle, device="cpu", threads=1, server_options={"security": security}, credentials=known) as service:
        assert service.stub.DescribeBundle(REQUEST).sample_rate_hz
        with grpc.secure_channel(service.server.address, anonymous) as channel:
            call = channel.unary_unary("/phonoscope.v1.ExplainerService/DescribeBundle")
            assert refusal(call, b"", timeout=HANG_S).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("security", "message"),
    [
        (Security(certificate=Path("only.pem")), "certificate and private key are both needed"),
        (Security(client_authority=Path("only.pem")), "certificate and private key are both needed"),
        (Security(certificate=Path("nowhere.pem"), private_key=Path("nowhere.pem")), r"nowhere\.pem cannot be read"),
    ],
)
def test_half_of_a_security_option_is_refused(security, message):
    with pytest.raises(OptionsError, match=message):
        security.credentials()


def test_a_file_that_is_no_certificate_keeps_the_service_from_starting(bundle, pem, tmp_path):
    (tmp_path / "certificate.pem").write_text("not a certificate")
    security = Security(certificate=tmp_path / "certificate.pem", private_key=pem / "key.pem")
    with (
        pytest.raises(OptionsError, match="with this certificate and key"),
        running(bundle, device="cpu", threads=1, server_options={"security": security}),
    ):
        pass


def test_an_empty_token_file_is_refused_rather_than_open_to_all(tmp_path):
    (tmp_path / "tokens").write_text("\n")
    with pytest.raises(OptionsError, match="holds no token"):
        Security(token_file=tmp_path / "tokens").tokens()
