"""What `--help` teaches, command by command."""

from __future__ import annotations

DESCRIPTION = """\
Shows, and lets you hear, what a machine listener listens to.

  phonoscope demo --out out/demo                        try it on the song that comes with it
  phonoscope predict song.mp3 --out out/song            where does somebody sing?
  phonoscope track song.mp3 --out out/song              and why, all along it?
  phonoscope explain song.mp3 --at 34 --out out/song    why does it say so, at 34 s?
  phonoscope studio song.mp3                            and anywhere you click?
  phonoscope batch MUSIC --out out/music                and in every file of a folder?
  phonoscope summarise out/music                        and which of those answers look wrong?
  phonoscope invert song.mp3 --at 34 --out out/song     what does each of its layers keep of that?
  phonoscope auralise song.mp3 --layer conv3 --out out/song   what do the features of a genre tagger hear?
  phonoscope maximise --out out/wanted                  what does it want to hear?
"""
EXPLAIN = """\
Explains a listener's answer at one moment, and tries the explanation before showing it: does what the region
holds keep the answer in other music, does its outline do as much, is the answer lost when the region is filled from
other music, do other regions of the same size do as well, and does it hold when it is heard?

DIR receives report.html (open it in a browser), explanation.wav, carried.wav (the region in other music),
silhouette.wav (its place there with a third excerpt), original.wav, explanation.npz (every array; `numpy.load` reads
it) and summary.json.

  phonoscope explain song.mp3 --at 34 --out out/song
  phonoscope explain song.mp3 --at 1:02.5 --keep-label --out out/song
  phonoscope explain song.mp3 --at 34 --rule inversion --max-area 0.2 --json
  phonoscope explain song.mp3 --at 34 --listener tagger --label dance --contrast ballad

A rule says how much the answer rests on each bin, and the region is where that reaches alpha. `phonoscope describe`
lists the rules of the bundle.
"""
TRACK = """\
Hears a whole track in one pass: the probability that somebody sings at every frame, segments, explanations along
it, and how far those hold.

DIR receives track.html (spectrogram, curve, segments and regions with a play head, and sound; open it in a browser),
track.json (curve, segments, explanations and summary), track.npz (every array) and what --export names:

  csv        segments.csv and regions.csv, for spreadsheets and data frames
  audacity   label tracks of segments, and of regions with their frequencies
  textgrid   track.TextGrid for Praat
  rttm, lab  where somebody sings, for tools that score it
  jams       track.jams, for music research; needs pip install 'phonoscope[jams]'

  phonoscope track song.mp3 --out out/song --export audacity,csv
  phonoscope track song.mp3 --where changes --where uncertain:8 --trust full --out out/song
  phonoscope track song.mp3 --where every:2s --where given:vocal --json out/song.json
  phonoscope track a-day-of-radio.flac --where none --no-page --out out/radio --export rttm

--trust says how far each explanation is tried: not at all, whether its region alone keeps the answer, or also whether
what the region holds takes the answer along into other music. A call that ends early goes on with --from.
"""
STUDIO = """\
Opens a page in the browser to wander in: drop songs, play them over what the model hears, click a moment or drag over
a passage, and see and hear which region the answer rests on, and what came of trying it. Layers can be inverted,
features heard, units maximised, moments pinned and compared, and what was found saved as one page.

  phonoscope studio                                     then drop songs on it
  phonoscope studio song.mp3 other.flac
  phonoscope studio song.mp3 --server localhost:50051   asks a service that is running
  phonoscope studio --no-browser --port 8888            says what to open; over ssh, with -L 8888:127.0.0.1:8888

The page is served to this machine alone, and to nobody without the token in its address. Songs stay where and as they
are; what is dropped lies in a temporary folder that goes with the studio. Ctrl-C ends it. The page's keys: ?
"""
BATCH = """\
Asks about every file of a catalogue what `phonoscope track` asks about one, and keeps the answers as Parquet. INPUT is
a folder; a manifest with a column path or file, and if you like moments (seconds), expected (vocal, instrumental or a
.lab file) and any others, which rows repeat; or - for paths on standard input.

DIR receives parts/*.parquet (a row for each file, segment and explanation), errors.parquet (a row for each file that
failed, and why), job.json (what was asked) and, once all is there, _SUCCESS (how many of each).

  phonoscope batch MUSIC --out out/music
  phonoscope batch songs.csv --ask curve,segments --out out/songs --server localhost:50051
  find /music -name '*.flac' | phonoscope batch - --where uncertain:4 --trust full --out out/flac
  phonoscope batch MUSIC --out out/music --retry-errors

The same command goes on where it ended, or was killed, and asks about what is missing. A first Ctrl-C finishes the
files that were begun. It exits with 0, with 3 where files failed, and with 1 where it cannot go on.
"""
SUMMARISE = """\
Sums up a catalogue on one page: answers, how many explanations hold, confidence, area and doubt, by label and by each
column of the manifest; and what to look at first: moments that are not what was expected, causes that come again and
again (by where their regions lie), sure answers whose explanation does not hold. The first of them are explained anew.

DIR receives summary.html (open it in a browser), summary.json and reports/.

  phonoscope summarise out/music
  phonoscope summarise out/music --reports 0 --json
"""
INVERT = """\
Rebuilds the spectrogram of one moment from the activation of each layer of the detector, to see and hear what each
keeps of it, and how far what it rebuilds is from the excerpt.

DIR receives layers.html (every layer in a grid, a player under each; open it in a browser), a WAV file for each
layer, original.wav, log-mel.wav (the best any layer can sound), inversions.npz (every array) and summary.json.

  phonoscope invert song.mp3 --at 34 --out out/song
  phonoscope invert song.mp3 --at 1:02.5 --layers fc8,conv5 --json
"""
AURALISE = """\
Makes features of a network heard: what in four seconds around a moment each answered to, as a picture and as sound.
The network is a genre tagger, or with --network detector the singing-voice detector. Without --features, those
that answer most strongly.

DIR receives features.html (every feature in a grid, a player under each, beside the clip; open it in a browser), a
WAV file for each feature, original.wav, auralisation.npz (every array) and summary.json.

  phonoscope auralise song.mp3 --layer conv3 --features 1,7,38 --out out/song
  phonoscope auralise song.mp3 --at 1:02.5 --layer conv5 --strongest 16 --resynthesis spectrum --out out/song
  phonoscope auralise song.mp3 --at 34 --layer conv4 --network detector --json
"""
MAXIMISE = """\
Makes sounds that the detector's output, a layer, a unit or any weighted sum of them responds to most, or least,
starting from random ones that a generator trained on music makes.

DIR receives maximised.html (every example beside its start, with players; open it in a browser), a WAV file for each,
maximised.npz (every array) and summary.json.

  phonoscope maximise --layer output --sign max --examples 4 --out out/wanted
  phonoscope maximise --layer 'fc7:12,fc7:40*-0.5' --steps 200 --json
  phonoscope maximise --layer conv5:3@16x10 --sign min --out out/place

A response is written as terms with commas between them, LAYER[:CHANNEL][@FRAMExBAND][*WEIGHT], as phonoscope-train
takes it: output, fc7:12, mp6, conv5:3@16x10, fc7:12*0.5,fc8*-1. A layer without a channel is its mean, a map without a
place is its mean. The weight may come first (0.5*fc7:12), and --layer may be repeated.
"""
PREDICT = """\
Says how probable it is that somebody sings, at every frame of a recording.

DIR receives curve.html (the curve over a player; open it in a browser) and curve.npz.

  phonoscope predict song.mp3
  phonoscope predict song.mp3 --out out/song
  phonoscope predict song.mp3 --json | jq .vocal_share
"""
DESCRIBE = """\
Says what a service is serving: layers, front-end, threshold, what was measured, and the data behind it.

  phonoscope describe --server localhost:50051
"""
DEMO = """\
Explains a moment of the song that comes with Phonoscope. No service and no file of your own are needed.

  phonoscope demo --out out/demo
"""
INSTALL = """\
Without --server, a service is started for the one call; that needs `pip install 'phonoscope[serving]'`. Pages and
pictures, which --out asks for, need `pip install 'phonoscope[report]'`, the studio `pip install 'phonoscope[studio]'`.
"""
