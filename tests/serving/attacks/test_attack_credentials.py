"""Who a caller is, for tokens and for turns."""

import pytest
from phonoscope_serving.service.arriving.caller import machine
from phonoscope_serving.service.security import Tokens

TOKENS = Tokens(lambda: [b"Bearer first-token", b"Bearer second-token"])


def test_attack_of_two_authorizations_none_is_believed():
    wrong, right = ("authorization", "Bearer x"), ("authorization", "Bearer second-token")
    assert TOKENS.holder([right]) == "token 2"
    for metadata in ([wrong, right], [right, wrong], [right, right], [wrong], []):
        assert not TOKENS.admit(metadata)


def test_attack_a_name_for_turns_does_not_tell_the_token():
    assert "second" not in TOKENS.holder([("authorization", "Bearer second-token")])


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        ("ipv4:10.0.0.1:5000", "ipv4:10.0.0.1"),
        ("ipv6:%5B2001:db8::1%5D:5000", "ipv6:2001:db8::"),
        ("ipv6:[2001:db8::ffff:1]:5001", "ipv6:2001:db8::"),
        ("ipv6:[fe80::1%25eth0]:5001", "ipv6:fe80::"),
        ("ipv6:nonsense", "ipv6"),
        ("unix:", "unix"),
        ("", ""),
    ],
)
def test_attack_one_machine_is_one_caller_whatever_port_or_address_it_chooses(peer, name):
    assert machine(peer) == name
