"""Three-genre music made from nothing: every song as a ballad, as dance music and as hip-hop."""

from phonoscope_trainer.corpora.genres.options import GenreOptions
from phonoscope_trainer.corpora.genres.song import Arrangement, arrange_song
from phonoscope_trainer.corpora.genres.store import descriptions, render
from phonoscope_trainer.corpora.genres.styles import GENRES

__all__ = ["GENRES", "Arrangement", "GenreOptions", "arrange_song", "descriptions", "render"]
