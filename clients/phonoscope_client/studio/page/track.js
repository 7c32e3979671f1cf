// What is known of the song along its length: the curve and its segments, as they arrive.
import { stream } from "./api.js";
import { one } from "./dom.js";
import { complain } from "./errors.js";
import { state } from "./state.js";
import { TILE_FRAMES, outdate } from "./tiles.js";
import { afterDrawing, draw, openSong, setFrames } from "./view.js";

const nothing = (key) => ({
  key,
  begun: null,
  probability: new Float32Array(0),
  known: 0,
  segments: [],
  ended: false,
  warnings: [],
});
export const track = nothing("");
let asking = null;
let opened = null; // the song that is in view
const followers = [];
export const whenHeard = (does) => followers.push(does);

// How far each song was heard, in frames that fill whole tiles until its end is reached.
const heard = new Map();
export const heardOf = (song) => heard.get(song) ?? { frames: 0, isWhole: false };
const keepHeard = () => {
  const frames = track.ended ? track.known : track.known - (track.known % TILE_FRAMES);
  if (track.ended || frames > heardOf(state.song.id).frames) heard.set(state.song.id, { frames, isWhole: track.ended });
};

const empty = (key) => Object.assign(track, nothing(key));
const take = {
  start: (part) => {
    track.begun = part;
    track.probability = new Float32Array(part.frames ?? Math.ceil(state.song.duration_s * part.frames_per_second) + 2);
    setFrames(part.frames_per_second);
    one("#dashed").hidden = !part.threshold;
  },
  curve: (part) => {
    const end = part.first_frame + part.probability.length;
    if (end > track.probability.length) {
      const longer = new Float32Array(2 * end);
      longer.set(track.probability);
      track.probability = longer;
    }
    track.probability.set(part.probability, part.first_frame);
    track.known = Math.max(track.known, end);
  },
  levels: () => outdate(state.song.id),
  segment: (part) => track.segments.push(part),
  end: (part) => {
    track.ended = true;
    track.warnings = part.warnings ?? [];
  },
};

// Whatever else follows from what was heard: tiles, waveform, numbers.
const goOn = () => {
  keepHeard();
  draw();
  for (const follow of followers) follow();
};
// Hears the song that is chosen, by the listener that is chosen.
export const hear = async () => {
  const query = new URLSearchParams({ listener: state.listener.name, ...(state.label ? { label: state.label } : {}) });
  const path = `/api/songs/${state.song.id}/track?${query}`;
  if (track.key === path) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  empty(path);
  if (opened !== state.song) openSong(state.song.duration_s);
  opened = state.song;
  draw();
  try {
    await stream(path, {
      signal: mine.signal,
      restart: () => empty(path),
      each: (part) => {
        const isFirst = part.kind === "curve" && !track.known;
        take[part.kind]?.(part);
        if (part.kind === "start") return; // what it says is drawn with the curve, which it announces
        draw();
        if (!isFirst) return goOn();
        // A frame's callbacks run in their order: the mark is set once the first of the curve has been painted.
        requestAnimationFrame(() => performance.mark("studio:first-curve"));
        afterDrawing(goOn);
      },
    });
  } catch (error) {
    if (track.key === path) track.key = "";
    complain(error);
  }
};
export const frameAt = (second) => Math.floor(second * (track.begun?.frames_per_second ?? 1));
export const probabilityAt = (second) =>
  frameAt(second) < track.known ? track.probability[Math.max(0, frameAt(second))] : null;
export const labelAt = (second) =>
  track.segments.find((each) => second >= each.start_s && second < each.end_s)?.label ?? "";
