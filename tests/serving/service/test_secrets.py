"""Secrets that are replaced while the service runs, and what can be reached without any."""

import logging
from dataclasses import replace

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.reloading import Reloaded
from phonoscope_serving.service.security import Security, is_loopback
from support.services.running import HANG_S, refusal, running

REQUEST = DescribeBundleRequest()
SERVING = health_pb2.HealthCheckResponse.SERVING


def replaced(path, content):
    """A file put in another's place at once, as secrets are."""
    beside = path.with_name("new")
    beside.write_bytes(content)
    beside.replace(path)


class Authority:
    """An authority of the test's own, and the secrets it gives a server in a folder."""

    def __init__(self, folder):
        self._ca, self._folder = trustme.CA(), folder
        self.pem = self._ca.cert_pem.bytes()
        self.security = Security(folder / "certificate.pem", folder / "key.pem", folder / "authority.pem")
        self.issue()

    def issue(self):
        issued = self._ca.issue_cert("127.0.0.1", "localhost")
        replaced(self.security.client_authority, self.pem)
        replaced(self.security.private_key, issued.private_key_pem.bytes())
        replaced(self.security.certificate, issued.cert_chain_pems[0].bytes())

    def client(self):
        issued = self._ca.issue_cert("client@example.com")
        return grpc.ssl_channel_credentials(self.pem, issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())


def bundle_name(address, credentials):
    with grpc.secure_channel(address, credentials, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary("/phonoscope.v1.ExplainerService/DescribeBundle")
        return bool(call(b"", timeout=HANG_S))


def test_new_connections_meet_the_new_certificate_and_authority(bundle, tmp_path):
    (tmp_path / "old").mkdir()
    old = Authority(tmp_path / "old")
    with running(
        bundle, device="cpu", threads=1, server_options={"security": old.security}, credentials=old.client()
    ) as service:
        assert service.stub.DescribeBundle(REQUEST)
        assert bundle_name(service.server.address, old.client())
        new = Authority(tmp_path / "old")  # other keys, in the same files
        assert bundle_name(service.server.address, new.client())
        with pytest.raises(grpc.RpcError):
            bundle_name(service.server.address, old.client())
        replaced(new.security.certificate, b"not a certificate")
        replaced(new.security.private_key, b"no key either")
        assert bundle_name(service.server.address, new.client()), "what cannot be used is not used"
        assert service.stub.DescribeBundle(REQUEST), "connections that stand go on"


def test_tokens_are_read_again(bundle, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("old-token\n")
    with running(bundle, device="cpu", threads=1, server_options={"security": Security(token_file=tokens)}) as service:

        def admitted(token):
            try:
                return bool(service.stub.DescribeBundle(REQUEST, metadata=[("authorization", f"Bearer {token}")]))
            except grpc.RpcError as error:
                return error.code() is not grpc.StatusCode.UNAUTHENTICATED

        assert admitted("old-token")
        replaced(tokens, b"new-token\n")
        assert admitted("new-token")
        assert not admitted("old-token")
        replaced(tokens, b"\n")
        assert admitted("new-token"), "an empty file opens the service to nobody, and closes it to nobody"
        tokens.unlink()
        assert admitted("new-token")


def test_what_cannot_be_read_is_told_once_and_changes_nothing(tmp_path, caplog):
    file = tmp_path / "file"
    file.write_text("1")

    def read():
        try:
            return int(file.read_text())
        except (OSError, ValueError) as error:
            raise OptionsError(f"{file}: {error}") from error

    reloaded = Reloaded((file,), read)
    file.write_text("23")
    assert reloaded.now() == 23
    file.write_text("none")
    assert [reloaded.now(), reloaded.now()] == [23, 23]
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "what was read before stays in force"
    ]
    file.write_text("4")
    assert reloaded.now() == 4


def test_probes_without_a_certificate_reach_health_and_nothing_else(bundle, tmp_path):
    authority = Authority(tmp_path)
    options = {"security": authority.security, "health_address": "127.0.0.1:0"}
    with (
        running(bundle, device="cpu", threads=1, server_options=options, credentials=authority.client()) as service,
        grpc.insecure_channel(service.server.health_address) as probe,
    ):
        health = health_pb2_grpc.HealthStub(probe)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=HANG_S).status == SERVING
        served = health_pb2.HealthCheckRequest(service="phonoscope.v1.ExplainerService")
        assert health.Check(served, timeout=HANG_S).status == SERVING
        call = probe.unary_unary("/phonoscope.v1.ExplainerService/DescribeBundle")
        assert refusal(call, b"", timeout=HANG_S).code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_contract_can_be_kept_from_callers(bundle):
    with running(bundle, device="cpu", threads=1, server_options={"reflection": False}) as service:
        reflection = reflection_pb2_grpc.ServerReflectionStub(service.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        error = refusal(lambda: list(reflection.ServerReflectionInfo(iter([request]))))
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:50051", True),
        ("127.8.8.8:1", True),
        ("[::1]:50051", True),
        ("localhost:0", True),
        ("unix:/run/phonoscope.sock", True),
        ("0.0.0.0:50051", False),
        ("[::]:50051", False),
        ("192.0.2.1:50051", False),
        ("music.example.com:50051", False),
    ],
)
def test_loopback_is_told_from_what_others_reach(address, loopback):
    assert is_loopback(address) == loopback


def test_secrets_are_named_together_or_not_at_all(tmp_path):
    half = replace(Authority(tmp_path).security, private_key=None)
    with pytest.raises(OptionsError, match="certificate and private key are both needed"):
        half.credentials()
