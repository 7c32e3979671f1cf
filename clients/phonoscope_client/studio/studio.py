"""What one studio holds while it runs: a client, what that serves, songs, and the answers that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request

from phonoscope_client.aio import Client
from phonoscope_client.results.bundle import Bundle
from phonoscope_client.studio.moments.features import Heard
from phonoscope_client.studio.moments.growth import Grown
from phonoscope_client.studio.moments.kept import Kept
from phonoscope_client.studio.moments.pictures import Grid
from phonoscope_client.studio.moments.story import Story
from phonoscope_client.studio.moments.why import Why
from phonoscope_client.studio.shelf.songs import Shelf, Song

MOST_ANSWERS = 200  # of a kind; with its sounds each takes less than half a megabyte
MOST_STORIES = 10


@dataclass
class Studio:
    """What one studio holds.

    Attributes:
        client: asks the service.
        server: that one's address, for people.
        bundle: what it serves.
        shelf: the songs.
        grid: frames and bands of what is shown of songs.
        whys: explanations, likewise below.
        inversions: layers.
        auralisations: features.
        units: that were maximised.
        stories: that can be fetched.
        without_examples: listeners that turned out to know no examples to name.
    """

    client: Client
    server: str
    bundle: Bundle
    shelf: Shelf
    grid: Grid
    whys: Kept[Why] = field(default_factory=lambda: Kept(MOST_ANSWERS, "explanation"))
    inversions: Kept[Heard] = field(default_factory=lambda: Kept(MOST_ANSWERS, "inversion"))
    auralisations: Kept[Heard] = field(default_factory=lambda: Kept(MOST_ANSWERS, "list of features"))
    units: Kept[Grown] = field(default_factory=lambda: Kept(MOST_ANSWERS, "unit"))
    without_examples: set[str] = field(default_factory=set)
    stories: Kept[Story] = field(default_factory=lambda: Kept(MOST_STORIES, "story"))


def studio_of(request: Request) -> Studio:
    """The studio that is asked."""
    studio: Studio = request.app.state.studio
    return studio


def song_of(request: Request) -> Song:
    """The song that an address names.

    Raises:
        HTTPException: there is none of that number.
    """
    song = studio_of(request).shelf.get(request.path_params["song"])
    if song is None:
        raise HTTPException(404, "There is no such song in this studio; drop it again.")
    return song
