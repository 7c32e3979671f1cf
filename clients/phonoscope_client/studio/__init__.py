"""The studio: a local page to listen, click and see why, and the server behind it. It needs the extra `studio`.

Raises:
    MissingExtraError: on import, where it is not installed.
"""

from importlib import import_module

from phonoscope_client.errors import MissingExtraError

for _package in ("starlette", "uvicorn"):
    try:
        import_module(_package)
    except ModuleNotFoundError as error:
        message = f"the studio needs the extra: pip install 'phonoscope[studio]' (there is no {error.name})"
        raise MissingExtraError(message) from error
