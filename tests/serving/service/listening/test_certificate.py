"""A certificate out of its time is found before anybody connects; one that was replaced by such is kept."""

import datetime

import pytest
import trustme
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.security import Security

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def secrets(folder, **times):
    issued = trustme.CA().issue_cert("localhost", **times)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return Security(certificate, key)


def test_one_in_force_is_taken(tmp_path):
    assert secrets(tmp_path).credentials()
    assert secrets(tmp_path, not_before=NOW - DAY, not_after=NOW + DAY).credentials()


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ({"not_before": NOW - 2 * DAY, "not_after": NOW - DAY}, r"certificate\.pem: certificate has expired"),
        ({"not_before": NOW + DAY, "not_after": NOW + 2 * DAY}, r"certificate\.pem: certificate is not yet valid"),
    ],
)
def test_attack_one_out_of_its_time_is_refused_in_words(tmp_path, times, message):
    with pytest.raises(OptionsError, match=message):
        secrets(tmp_path, **times).credentials()
