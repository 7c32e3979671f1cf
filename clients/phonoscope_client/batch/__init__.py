"""Whole catalogues: every file asked about once, and what is answered kept as Parquet. It needs the extra `batch`.

Raises:
    MissingExtraError: on import, where it is not installed.
"""

from importlib import import_module

from phonoscope_client.errors import MissingExtraError

try:
    import_module("pyarrow")
except ModuleNotFoundError as error:
    message = f"catalogues need the extra: pip install 'phonoscope[batch]' (there is no {error.name})"
    raise MissingExtraError(message) from error
