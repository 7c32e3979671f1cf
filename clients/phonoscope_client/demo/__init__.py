"""The song that ships with Phonoscope, and the moment the demo explains.

Rendered by `phonoscope-train corpus song --seed 2026 --index 2 --out clients/phonoscope_client/demo/song.ogg`.
"""

from importlib.resources import files
from pathlib import Path

SONG = Path(str(files("phonoscope_client.demo") / "song.ogg"))
AT_S = 36.0
