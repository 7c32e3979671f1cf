"""The manifest's signature, by OpenSSF Model Signing with a bare key: whose bundle it is.

The manifest holds the digest of every file, so that its signature speaks for all of them.
"""

from __future__ import annotations

from pathlib import Path

from phonoscope_serving.bundle.manifest import MANIFEST
from phonoscope_serving.errors import BundleError, OptionsError

SIGNATURE = f"{MANIFEST}.sig"


def require_signature(root: Path, key: Path) -> None:
    """Refuses a model repository whose manifest was not signed with a key.

    Args:
        root: the repository; `MANIFEST.json.sig` lies beside the manifest.
        key: PEM of the public key, on an elliptic curve.

    Raises:
        OptionsError: the key is none, or the package that verifies is not installed.
        BundleError: there is no signature, or it is not of this manifest with this key.
    """
    try:
        from model_signing.verifying import Config  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        message = "require-signature: the verifier is not installed; pip install 'phonoscope[signing]'"
        raise OptionsError(message) from error
    try:
        verifier = Config().use_elliptic_key_verifier(public_key=key)  # type: ignore[no-untyped-call]  # it has no types
    except (OSError, ValueError, TypeError) as error:
        raise OptionsError(f"require-signature: {key} is no public key: {error}") from error
    if not (root / SIGNATURE).is_file():
        raise BundleError(f"{root / SIGNATURE} does not exist, and a signature is required")
    try:
        verifier.verify(root / MANIFEST, root / SIGNATURE)
    except Exception as error:  # the package raises what its parsers do
        raise BundleError(f"{root / MANIFEST} was not signed with {key}: {str(error)[:200]}") from error
