"""Which service the command line asks, and how it is kept from others."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import trustme
from phonoscope.v1 import bundle_pb2
from phonoscope.v1.explainer_service_pb2_grpc import (
    ExplainerServiceServicer,
    add_ExplainerServiceServicer_to_server,
)
from phonoscope_client import InvalidInputError
from phonoscope_client.cli import get_parser, main
from phonoscope_client.commands.connection import Connection
from phonoscope_client.transport.channel import is_loopback


class Describer(ExplainerServiceServicer):
    def DescribeBundle(self, request, context):  # noqa: N802 - the name of the RPC
        return bundle_pb2.DescribeBundleResponse()


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    """Paths of the authority, and of a caller's certificate and key."""
    own = authority.issue_cert("caller.test")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    return tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.fixture
def strict(authority):
    """The address of a service that asks callers for a certificate."""
    own = authority.issue_cert("localhost")
    pair = (own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes())
    credentials = grpc.ssl_server_credentials([pair], authority.cert_pem.bytes(), require_client_auth=True)
    server = grpc.server(ThreadPoolExecutor(2))
    add_ExplainerServiceServicer_to_server(Describer(), server)
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    yield f"localhost:{port}"
    server.stop(None).wait()


def test_a_caller_shows_its_certificate(strict, files):
    ca, certificate, key = files
    with Connection(strict, 60, ca, certificate, key).open(print) as client:
        assert client.describe().name == ""


def test_the_command_line_takes_all_three_files(files):
    ca, certificate, key = map(str, files)
    options = get_parser().parse_args(["describe", "--ca", ca, "--certificate", certificate, "--key", key])
    assert [str(each) for each in (options.ca, options.certificate, options.key)] == [ca, certificate, key]


def test_a_caller_without_one_is_not_answered(strict, files, capsys):
    assert main(["describe", "--server", strict, "--ca", str(files[0]), "--timeout-s", "1"]) == 1
    assert capsys.readouterr().err.startswith("phonoscope: ")


@pytest.mark.parametrize("given", ["certificate", "key"])
def test_a_certificate_needs_its_key(files, given):
    connection = Connection("localhost:1", **{given: files[1]})
    with pytest.raises(InvalidInputError, match="give both"), connection.open(print):
        pass


@pytest.mark.parametrize(
    ("server", "token", "secured", "warned"),
    [
        ("192.0.2.1:50051", "secret", False, True),
        ("dns:///music:50051", "secret", False, True),
        ("192.0.2.1:50051", None, False, False),
        ("192.0.2.1:50051", "secret", True, False),
        ("127.0.0.1:50051", "secret", False, False),
    ],
)
def test_a_token_in_the_clear_is_warned_of(server, token, secured, warned, files, capsys):
    with Connection(server, root_certificates=files[0] if secured else None, token=token).open(print):
        pass
    error = capsys.readouterr().err
    assert ("the token is sent in the clear" in error) == warned
    assert "secret" not in error


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1:1", True),
        ("ipv4:127.0.0.2:1,127.0.0.3:1", True),
        ("ipv4:///127.0.0.2:1,127.0.0.3:1", True),
        ("ipv6:[::1]:1", True),
        ("dns:///localhost:1", True),
        ("ipv4:127.0.0.1:1,192.0.2.1:1", False),
        ("dns://127.0.0.1/music:1", False),
    ],
)
def test_what_is_this_machine_alone(address, here):
    assert is_loopback(address) == here
