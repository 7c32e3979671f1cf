// The recording, and the head that moves along it; a passage can be repeated.
import { one, say } from "./dom.js";
import { change, state, when } from "./state.js";
import { isSounding, register, silence, start, whenPlaying, whenSounding } from "./sounds.js";
import { clock } from "./text.js";
import { labelAt, probabilityAt, track, whenHeard } from "./track.js";
import { reveal, view, whenDrawn, xOf } from "./view.js";

export const recording = register(one("#recording"));
const line = one(".head");
const slider = one("input.position");
const readout = one(".readout");
const playing = one("[data-do=play]");
let headS = 0;
export const head = () => headS;

const place = () => {
  const x = xOf(headS);
  line.hidden = !state.song || x < 0 || x > view.width;
  line.style.transform = `translateX(${Math.round(x)}px)`;
};
const tell = () => {
  const probability = probabilityAt(headS);
  const said = probability === null ? "not heard yet" : `probability ${probability.toFixed(2)}`;
  const label = labelAt(headS);
  const text = `${clock(headS)}${label && `, ${label}`}, ${said}`;
  if (readout.textContent !== text) readout.textContent = text;
  slider.value = headS;
  slider.setAttribute("aria-valuetext", text);
};
// Moves the head alone; what is in view follows it.
const reach = (second) => {
  headS = Math.min(view.duration, Math.max(0, second));
  reveal(headS);
  place();
  tell();
};
export const seek = (second) => {
  if (!state.song) return;
  // One that is not playing is moved when it begins to: to decode it now would keep the machine from the answer.
  if (!recording.paused) recording.currentTime = Math.min(view.duration, Math.max(0, second));
  else silence();
  reach(second);
};
export const toggle = () => {
  if (!state.song) return;
  if (isSounding()) return silence();
  if (headS >= view.duration - 0.05) headS = 0;
  recording.currentTime = headS;
  start(recording, copyInstead);
};
// Another form of the song, for a browser that does not play the file itself.
const copyInstead = () => {
  if (recording.src.endsWith("?form=copy")) return false;
  recording.src += "?form=copy";
  recording.currentTime = headS;
  start(recording);
  return true;
};

const repeat = () => {
  const { passage, repeats } = state;
  if (!repeats || recording.paused) return;
  const from = passage?.start_s ?? 0;
  const to = passage?.end_s ?? view.duration;
  // What is past the end was set by hand, unless it was only just reached.
  if (recording.currentTime >= to && recording.currentTime < to + 0.5) recording.currentTime = from;
};
whenSounding((audio, startS) => {
  if (audio === recording) {
    repeat();
    reach(recording.currentTime);
  } else if (startS !== null) reach(startS + audio.currentTime);
});
recording.addEventListener(
  "ended",
  () => state.repeats && start(Object.assign(recording, { currentTime: state.passage?.start_s ?? 0 })),
);
whenPlaying((sounds) => {
  playing.setAttribute("aria-pressed", String(sounds));
  one(".name", playing).textContent = sounds ? "Pause" : "Play";
});

// A passage that begins or ends at the head; what is missing of it is the end or the beginning of the song.
export const mark = (side) => {
  if (!state.song) return;
  const passage = { start_s: 0, end_s: view.duration, ...state.passage, [side]: headS };
  if (passage.end_s - passage.start_s < 0.05) {
    passage[side === "start_s" ? "end_s" : "start_s"] = side === "start_s" ? view.duration : 0;
  }
  change({ passage }, `passage ${clock(passage.start_s)} to ${clock(passage.end_s)}`);
  say(`The passage is ${clock(passage.start_s)} to ${clock(passage.end_s)}.`);
};
export const toggleRepeat = () => {
  change({ repeats: !state.repeats });
  say(state.repeats ? `Repeating ${state.passage ? "the passage" : "the song"}.` : "No longer repeating.");
};
export const clearPassage = () => state.passage && change({ passage: null }, "no passage");

slider.addEventListener("input", () => seek(Number(slider.value)));
when(["repeats"], () => one("[data-do=repeat]").setAttribute("aria-pressed", String(state.repeats)));
when(["passage"], () => {
  one(".passage").hidden = !state.passage;
  if (state.passage)
    one(".passage .text").textContent = `${clock(state.passage.start_s)} – ${clock(state.passage.end_s)}`;
});
when(["song"], () => {
  slider.max = state.song?.duration_s ?? 0;
  headS = 0;
  tell();
});
whenHeard(() => track.known && tell());
whenDrawn(place);
