"""Whether a certificate is in force: found by a handshake in memory, so that no library need read certificates."""

from __future__ import annotations

import ssl
from pathlib import Path

from phonoscope_serving.errors import OptionsError

OUTSIDE_ITS_TIME = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL


def require_in_force(certificate: Path, key: Path) -> None:
    """Refuses a certificate before its time and after it; files that are none are left to gRPC, which uses them.

    Args:
        certificate: PEM.
        key: PEM.

    Raises:
        OptionsError: every client would refuse it today.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate itself is trusted: only its time is asked
    try:
        server.load_cert_chain(certificate, key, password=lambda: "")  # nobody is asked at a terminal
        client.load_verify_locations(certificate)
        _shake_hands(server, client)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in OUTSIDE_ITS_TIME:
            raise OptionsError(f"tls: {certificate}: {error.verify_message}") from error
    except (ssl.SSLError, OSError):
        return


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """Has two ends speak until the client has judged the server's certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    calling = client.wrap_bio(to_client, to_server)
    for end in (calling, serving, calling):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
