"""The song that ships with Phonoscope, rendered by its own trainer, and the moment the demo explains."""

from importlib.resources import files
from pathlib import Path

SONG = Path(str(files("phonoscope_client.demo") / "song.ogg"))
AT_S = 8.0
