"""Pages to look at and listen to. They need the extra `report`: Jinja2 for markup, Matplotlib for pictures.

Raises:
    MissingExtraError: on import, where it is not installed.
"""

from importlib import import_module

from phonoscope_client.errors import MissingExtraError

for _package in ("jinja2", "matplotlib"):
    try:
        import_module(_package)
    except ModuleNotFoundError as error:
        message = f"pages and pictures need the extra: pip install 'phonoscope[report]' (there is no {error.name})"
        raise MissingExtraError(message) from error
