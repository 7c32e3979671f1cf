"""Songs made from nothing: a General MIDI band and synthetic singers, with stems and exact vocal labels."""

from phonoscope_trainer.corpora.rendered.options import RenderOptions
from phonoscope_trainer.corpora.rendered.song import RenderedSong, render_song
from phonoscope_trainer.corpora.rendered.store import load, render

__all__ = ["RenderOptions", "RenderedSong", "load", "render", "render_song"]
