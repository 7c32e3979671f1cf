// The model's log-mel in tiles of 256 frames: fetched when they come into view, kept while there is room. Of a song so long
// that hundreds would be in view, a tile is of 512 frames or more, and each of its columns the loudest of 2 or more.
import { MAGMA } from "./colours.js";
import { bytes } from "./api.js";
import { draw } from "./view.js";

export const TILE_FRAMES = 256;
const MOST_KEPT = 400;
const AT_ONCE = 4;
const HALVED_HERE = 4; // times; what is crowded more than that is halved before it is sent
const MOST_HALVINGS = 8;
const RETRY_S = 0.5;
const tiles = new Map(); // path → { levels, frames, isStale } once it is there, in the order of last use
const asked = new Map(); // path → since when it may be asked (again); Infinity while it is
let inFlight = 0;

// One canvas a halving: each keeps the louder of two neighbours, as crowded columns are drawn.
const levelsOf = (values, mels) => {
  const levels = [];
  for (let columns = values.length / mels; ;) {
    levels.push(painted(values, columns, mels));
    if (columns <= 4) return levels;
    const half = Math.ceil(columns / 2);
    const louder = new Uint8Array(half * mels);
    for (let column = 0; column < columns; column++)
      for (let band = 0; band < mels; band++) {
        const place = (column >> 1) * mels + band;
        louder[place] = Math.max(louder[place], values[column * mels + band]);
      }
    [values, columns] = [louder, half];
  }
};
// A picture of bytes, frame by frame, lowest band first; it has the highest band on top.
export const painted = (values, frames, mels) => {
  const picture = new ImageData(frames, mels);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let frame = 0; frame < frames; frame++)
    for (let band = 0; band < mels; band++)
      pixels[(mels - 1 - band) * frames + frame] = MAGMA[values[frame * mels + band]];
  const small = new OffscreenCanvas(frames, mels);
  small.getContext("2d").putImageData(picture, 0, 0);
  return small;
};

let waking = null;
// What may not be asked for yet is, once it may.
const drawIn = (milliseconds) => {
  waking ??= setTimeout(() => {
    waking = null;
    draw();
  }, milliseconds + 10);
};
const fetchTile = async (path, mels, halvings) => {
  asked.set(path, Infinity);
  inFlight += 1;
  try {
    const values = await bytes(path);
    tiles.set(path, { levels: levelsOf(values, mels), frames: (values.length / mels) << halvings, isStale: false });
    asked.set(path, performance.now() + RETRY_S * 1000);
    for (const oldest of tiles.keys()) {
      if (tiles.size <= MOST_KEPT) break;
      tiles.delete(oldest);
    }
    draw();
  } catch (error) {
    if (error.status === 404 && error.retryAfterS === null) return; // there is none, and never will be
    // Not there yet, or the service is gone, which other questions tell.
    const pauseS = error.retryAfterS ?? RETRY_S;
    asked.set(path, performance.now() + pauseS * 1000);
    drawIn(pauseS * 1000);
  } finally {
    inFlight -= 1;
  }
};

// What is drawn of tiles changes with the loudest bin: those of a song are asked for again, and drawn until they come.
export const outdate = (song) => {
  for (const [path, kept] of tiles) if (path.startsWith(`/api/songs/${song}/`)) kept.isStale = true;
  asked.clear();
};
// The tile as far as it is there; where it is missing, stale or shorter than the frames known, it is asked for.
const tile = (song, number, mels, frames, halvings) => {
  const path = `/api/songs/${song}/tiles/${number}${halvings ? `?halvings=${halvings}` : ""}`;
  const kept = tiles.get(path) ?? null;
  if (kept) {
    tiles.delete(path);
    tiles.set(path, kept);
    if (!kept.isStale && kept.frames >= frames) return kept;
  }
  const pauseMs = (asked.get(path) ?? 0) - performance.now();
  if (pauseMs > 0 && pauseMs < Infinity) drawIn(pauseMs);
  else if (pauseMs <= 0 && inFlight < AT_ONCE) fetchTile(path, mels, halvings);
  return kept;
};

// Draws frames of a song from tiles into a box of a canvas; false while some of them are missing.
export const drawFrames = (context, { song, mels, known }, fromFrame, pxPerFrame, width, height) => {
  const level = Math.max(0, Math.floor(Math.log2(1 / pxPerFrame)));
  const halvings = Math.min(MOST_HALVINGS, Math.max(0, level - HALVED_HERE));
  const each = TILE_FRAMES << halvings;
  const last = Math.min(Math.ceil(known / each) - 1, Math.floor((fromFrame + width / pxPerFrame) / each));
  context.imageSmoothingEnabled = mels > height;
  let isWhole = true;
  for (let number = Math.max(0, Math.floor(fromFrame / each)); number <= last; number++) {
    const found = tile(song, number, mels, Math.min(each, Math.max(1, known - number * each)), halvings);
    if (!found) {
      isWhole = false;
      continue;
    }
    const left = Math.round((number * each - fromFrame) * pxPerFrame);
    const right = Math.round((number * each + found.frames - fromFrame) * pxPerFrame);
    context.drawImage(found.levels[Math.min(level - halvings, found.levels.length - 1)], left, 0, right - left, height);
  }
  return isWhole;
};
