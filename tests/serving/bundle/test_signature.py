"""Signed bundles: the real signer, the real verifier, the real manifest."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.signature import SIGNATURE, require_signature
from phonoscope_serving.errors import BundleError, OptionsError
from support.bundles.repository import copied, edit_manifest

signing = pytest.importorskip("model_signing.signing", reason="pip install 'phonoscope[signing]'")


class Signer:
    """A pair of keys in a folder."""

    def __init__(self, folder):
        key = ec.generate_private_key(ec.SECP256R1())
        self.private, self.public = folder / "private.pem", folder / "public.pem"
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        self.private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        self.public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))

    def sign(self, root):
        config = signing.Config().use_elliptic_key_signer(private_key=self.private)
        config.sign(root / "MANIFEST.json", root / SIGNATURE)


@pytest.fixture
def signer(tmp_path):
    return Signer(tmp_path)


@pytest.fixture
def signed(tmp_path, signer):
    root = copied(tmp_path)
    signer.sign(root)
    return root


def test_a_signed_bundle_is_loaded(signed, signer):
    assert load_bundle(signed, signer.public).name == load_bundle(signed).name


def test_a_manifest_that_was_changed_and_digested_again_is_not(signed, signer):
    edit_manifest(signed, threshold=0.9)
    assert load_bundle(signed).default.decision.thresholds == (0.9,), "its digest alone is anybody's to make"
    with pytest.raises(BundleError, match=r"MANIFEST\.json was not signed with"):
        load_bundle(signed, signer.public)


def test_somebody_elses_signature_is_none(signed, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(BundleError, match="was not signed with"):
        load_bundle(signed, Signer(tmp_path / "other").public)


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b"not JSON", b"\xff\xfe"])
def test_junk_is_no_signature(signed, signer, junk):
    (signed / SIGNATURE).write_bytes(junk)
    with pytest.raises(BundleError, match="was not signed with"):
        require_signature(signed, signer.public)


def test_without_a_signature_nothing_is_loaded(signed, signer):
    (signed / SIGNATURE).unlink()
    with pytest.raises(BundleError, match=r"MANIFEST\.json\.sig does not exist, and a signature is required"):
        require_signature(signed, signer.public)


@pytest.mark.parametrize("content", [None, b"not a key"])
def test_what_is_no_key_is_a_wrong_option(signed, tmp_path, content):
    if content:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(OptionsError, match=r"key\.pem is no public key"):
        require_signature(signed, tmp_path / "key.pem")


def test_without_the_verifier_the_service_says_what_to_install(signer):
    program = "import sys; sys.modules['model_signing'] = None\nfrom phonoscope_serving.cli import main\n"
    program += f"sys.exit(main(['--require-signature', {str(signer.public)!r}]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'phonoscope[signing]'" in done.stderr
