"""`phonoscope-train corpus`: make a corpus, or show what is there."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import soundfile

from phonoscope_trainer.commands.options import Verbs, add_corpus, names
from phonoscope_trainer.corpora import degraded, genres, named, rendered
from phonoscope_trainer.corpora.corpus import SPLITS, as_split
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.corpora.labels import write_lab
from phonoscope_trainer.corpora.made_clips import ClipOptions, Maker
from phonoscope_trainer.corpora.played import PLAYED
from phonoscope_trainer.corpora.rendered.styles import STYLE_NAMES
from phonoscope_trainer.corpora.speech import SPEECH
from phonoscope_trainer.errors import CorpusError

GENRES, CLIPS = genres.GenreOptions(), ClipOptions()
DECODED = tuple(name for name, source in named.SOURCES.items() if source.decode)
FINE_COMPRESSION = 0.2  # of 0 to 1, the coarsest: Vorbis at its usual setting takes what is quiet for silence


def add(verbs: Verbs) -> None:
    """`corpus …`: make a corpus, or show what is there."""
    corpus = verbs.add_parser("corpus", help="make a corpus, or show what is there")
    corpora = corpus.add_subparsers(required=True, metavar="CORPUS")
    rendered = corpora.add_parser("rendered", help="render songs with exact stems and labels from a seed")
    rendered.add_argument("--songs", type=int, default=200, help="how many (default %(default)s)")
    rendered.add_argument("--seed", type=int, default=0, help="the same seed gives the same songs")
    rendered.add_argument(
        "--seconds",
        type=float,
        nargs=2,
        default=(45.0, 60.0),
        metavar=("SHORTEST", "LONGEST"),
        help="length of the songs",
    )
    rendered.add_argument(
        "--style", choices=STYLE_NAMES, default="", help="of every song; hip-hop has the most rap (default: all styles)"
    )
    rendered.add_argument("--out", type=Path, help="folder (default: rendered/ in the cache)")
    rendered.add_argument("--workers", type=int, default=2, help="songs rendered at once (default %(default)s)")
    rendered.set_defaults(run=render_corpus)
    three = corpora.add_parser("genres", help="render every song as a ballad, as dance music and as hip-hop")
    three.add_argument("--songs", type=int, default=GENRES.songs, help="how many (default %(default)s)")
    three.add_argument("--seed", type=int, default=GENRES.seed, help="the same seed gives the same songs")
    three.add_argument("--seconds", type=float, default=GENRES.duration_s, help="length of each (default %(default)s)")
    three.add_argument("--out", type=Path, help="folder (default: genres/ in the cache)")
    three.add_argument("--workers", type=int, default=2, help="songs rendered at once (default %(default)s)")
    three.set_defaults(run=render_genres)
    for maker, meaning in (
        (SPEECH, "speak clips with every synthesiser there is: nobody sings in them"),
        (PLAYED, "play what sways like a voice and is none: instruments, synthesiser choirs, tones, sirens"),
    ):
        made = corpora.add_parser(maker.kind, help=meaning)
        made.add_argument("--clips", type=int, default=CLIPS.clips, help="how many (default %(default)s)")
        made.add_argument("--seed", type=int, default=CLIPS.seed, help="the same seed gives the same clips")
        made.add_argument("--out", type=Path, help=f"folder (default: {maker.kind}/ in the cache)")
        made.add_argument("--workers", type=int, default=2, help="clips made at once (default %(default)s)")
        made.set_defaults(run=partial(make_clips, maker))
    song = corpora.add_parser("song", help="render one song of the corpus as an audio file to listen to")
    song.add_argument("--seed", type=int, default=0)
    song.add_argument("--index", type=int, default=0, help="which song of that seed")
    song.add_argument("--out", type=Path, required=True, help="audio file; a .lab file is written beside it")
    song.set_defaults(run=render_one_song)
    listing = corpora.add_parser("list", help="every corpus: whether it is there, and how to get it")
    listing.set_defaults(run=list_corpora)
    decode = corpora.add_parser("decode", help="take a corpus of stems apart once: mir1k, musdb")
    decode.add_argument("--corpus", required=True, choices=DECODED)
    decode.add_argument("--root", type=Path, help="the authors' files (default: in PHONOSCOPE_DATA)")
    decode.add_argument("--out", type=Path, help="folder of the stems (default: in the cache)")
    decode.set_defaults(run=decode_corpus)
    degrade = corpora.add_parser("degrade", help="copy a corpus as it sounds clipped, coded and at low sample rates")
    add_corpus(degrade)
    degrade.add_argument(
        "--splits", type=names, default=("train", "valid"), help="comma-separated (default: train,valid)"
    )
    degrade.add_argument("--seed", type=int, default=0, help="the same seed gives the same copies")
    degrade.add_argument("--out", type=Path, help="folder (default: degraded/NAME in the cache)")
    degrade.set_defaults(run=degrade_corpus)
    describe = corpora.add_parser("describe", help="tracks, splits, licence and digest of a corpus")
    add_corpus(describe)
    describe.set_defaults(run=describe_corpus)


def render_corpus(
    songs: int, seed: int, seconds: tuple[float, float], style: str, out: Path | None, workers: int
) -> None:
    """Render songs, going on where an earlier call stopped."""
    options = rendered.RenderOptions(seed=seed, songs=songs, shortest_s=seconds[0], longest_s=seconds[1], style=style)
    corpus = rendered.render(out or named.rendered_folder(), options, workers=workers)
    print(f"{len(corpus.tracks)} songs in {out or named.rendered_folder()}")


def render_genres(songs: int, seed: int, seconds: float, out: Path | None, workers: int) -> None:
    """Render songs in three arrangements each, going on where an earlier call stopped."""
    place = out or cache_folder() / "genres"
    music = genres.render(place, genres.GenreOptions(seed=seed, songs=songs, duration_s=seconds), workers)
    print(f"{len(music.songs)} recordings in {place}: {', '.join(music.labels)}")


def make_clips(maker: Maker, clips: int, seed: int, out: Path | None, workers: int) -> None:
    """Make clips in which nobody sings, going on where an earlier call stopped."""
    place = out or cache_folder() / maker.kind
    corpus = maker.render(place, ClipOptions(seed=seed, clips=clips), workers)
    print(f"{len(corpus.tracks)} clips in {place}")


def render_one_song(seed: int, index: int, out: Path) -> None:
    """Render one song as its mixture."""
    options = rendered.RenderOptions(seed=seed)
    song = rendered.render_song(seed, index, options)
    mixture = song.voice + song.accompaniment
    out.parent.mkdir(parents=True, exist_ok=True)
    fine = {"compression_level": FINE_COMPRESSION} if out.suffix in {".ogg", ".mp3"} else {}
    soundfile.write(out, mixture, options.sample_rate_hz, **fine)
    write_lab(out.with_suffix(".lab"), song.vocals, len(mixture) / options.sample_rate_hz)
    print(f"wrote {out}: {json.dumps(song.description, ensure_ascii=False)}")


def list_corpora() -> None:
    """Print a table of every corpus, then what to do about those that are missing or incomplete."""
    rows, advice = [("corpus", "found", "tracks", "labels", "what", "licence", "where")], []
    for name, source in named.SOURCES.items():
        place, tracks, found = named.find(name), "-", "no"
        try:
            tracks, found = str(len(named.load(name).tracks)), "yes"
        except CorpusError as error:
            found = "incomplete" if place else "no"
            advice.append(f"- {error}")
        labels = "yes" if source.is_labelled else "no"
        rows.append((name, found, tracks, labels, source.meaning, source.licence, str(place or "-")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print("\nHow to get the others:", *advice, sep="\n")


def decode_corpus(corpus: str, root: Path | None, out: Path | None) -> None:
    """Bring the authors' files of a corpus into voice, accompaniment and labels."""
    source, files, place = named.source_of(corpus), root or named.usual_place(corpus), out or cache_folder() / corpus
    if files is None:
        raise CorpusError(f"{corpus}: {named.where_it_is_not(corpus)}. {source.how_to_get}")
    assert source.decode is not None  # the parser offers no other corpus
    print(f"{len(source.decode(files, place).tracks)} tracks in {place}")


def degrade_corpus(corpus: str, root: Path | None, splits: tuple[str, ...], seed: int, out: Path | None) -> None:
    """Make degraded copies, going on where an earlier call stopped."""
    chosen = [as_split(split, "--splits") for split in splits]
    original = named.load(corpus, root)
    place = out or cache_folder() / "degraded" / original.name
    copies = degraded.degrade(original, place, chosen, seed)
    print(f"{len(copies.tracks)} tracks in {place}: --corpora folder:{place} learns from them")


def describe_corpus(corpus: str, root: Path | None) -> None:
    """Print what a corpus holds."""
    found = named.load(corpus, root)
    splits = {split: len(found.of(split)) for split in SPLITS}
    print(
        json.dumps({"name": found.name, "licence": found.licence, "digest": found.digest, "tracks": splits}, indent=2)
    )
