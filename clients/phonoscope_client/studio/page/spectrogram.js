// The spectrogram that the model hears, with the region of the answer on it; a click or a drag asks why.
import { one, element } from "./dom.js";
import { drawRegion, regionOf } from "./region.js";
import { state, when } from "./state.js";
import { drawFrames } from "./tiles.js";
import { hertz } from "./text.js";
import { heardOf, track } from "./track.js";
import { draw, secondAt, view, whenDrawn, xOf } from "./view.js";

const canvas = one("canvas[data-draws=spectrogram]");
const area = one(".area.spectrogram");
const plots = one(".plots");
const rows = one(".rows");
const context = canvas.getContext("2d", { alpha: false });
const FREQUENCIES_HZ = [100, 200, 500, 1000, 2000, 5000, 8000];
const DRAG_PX = 6;
let selecting = null; // [from, to] in seconds while a passage is dragged

// A whole number of the screen's pixels to a band, near the height that the style sheet wants.
const size = () => {
  const mels = track.begun?.mels ?? 80;
  const wanted = parseFloat(getComputedStyle(area).getPropertyValue("--wanted-height")) * view.ratio;
  const height = mels > wanted ? Math.round(wanted) : mels * Math.max(1, Math.round(wanted / mels));
  const width = Math.max(1, Math.round(view.width * view.ratio));
  if (canvas.width !== width || canvas.height !== height) {
    [canvas.width, canvas.height] = [width, height];
    area.style.height = `${height / view.ratio}px`;
    plots.style.setProperty("--drawn-height", `${height / view.ratio}px`);
  }
};

const paintTiles = () => {
  const { frames_per_second: framesPerS, mels } = track.begun;
  const pxPerFrame = (view.pxPerS * view.ratio) / framesPerS;
  const source = { song: state.song.id, mels, known: heardOf(state.song.id).frames };
  const fromFrame = Math.round(view.left * view.ratio) / pxPerFrame;
  drawFrames(context, source, fromFrame, pxPerFrame, canvas.width, canvas.height);
};
const deviceX = (second) => Math.round(xOf(second) * view.ratio);
const paintRegion = (explanation) => {
  const region = regionOf(explanation, state.alpha);
  const left = deviceX(explanation.start_s);
  const width = deviceX(explanation.start_s + region.frames / framesPerSOf(explanation)) - left;
  if (left > canvas.width || left + width < 0) return;
  drawRegion(context, region, left, width, canvas.height, view.ratio);
  context.setLineDash([3 * view.ratio, 4 * view.ratio]);
  context.fillStyle = context.strokeStyle = "#fff";
  context.lineWidth = 1.2 * view.ratio;
  context.beginPath();
  context.moveTo(deviceX(explanation.at_s), 0);
  context.lineTo(deviceX(explanation.at_s), canvas.height);
  context.stroke();
  context.setLineDash([]);
};
const paintSpan = ([from, to], fill, edge) => {
  const [left, right] = [deviceX(Math.min(from, to)), deviceX(Math.max(from, to))];
  context.fillStyle = fill;
  context.fillRect(left, 0, right - left, canvas.height);
  context.fillStyle = edge;
  for (const x of [left, right]) context.fillRect(x, 0, view.ratio, canvas.height);
};
export const framesPerSOf = (explanation) => explanation.frames_per_second ?? track.begun?.frames_per_second ?? 70;
const isDrawnHere = (explanation) => explanation && explanation.song === state.song?.id;

const paint = () => {
  size();
  context.fillStyle = "#000004";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (!state.song || !track.begun) return;
  paintTiles();
  if (isDrawnHere(state.explanation) && one("input[name=region]").checked) paintRegion(state.explanation);
  if (state.passage)
    paintSpan([state.passage.start_s, state.passage.end_s], "rgb(255 255 255 / .06)", "rgb(255 255 255 / .7)");
  if (selecting) paintSpan(selecting, "rgb(255 255 255 / .2)", "#fff");
};
whenDrawn(paint);

// Ticks at round frequencies, in proportion between the centres of the bands around them.
let ticked = "";
const paintAxis = () => {
  const centres = track.begun?.mel_hz ?? [];
  if (ticked === String(centres)) return;
  ticked = String(centres);
  rows.replaceChildren(
    ...FREQUENCIES_HZ.filter((each) => each >= centres[0] && each <= centres.at(-1)).map((each) => {
      const above = centres.findIndex((centre) => centre >= each);
      const band = above && above - 1 + (each - centres[above - 1]) / (centres[above] - centres[above - 1]);
      const tick = element("span", {}, hertz(each));
      tick.style.bottom = `${(100 * (band + 0.5)) / centres.length}%`;
      return tick;
    }),
  );
};
whenDrawn(paintAxis);

// `onMoment(second)` for a click, `onPassage(from, to)` for a drag. A finger that drags scrolls instead.
export const whenAsked = (onMoment, onPassage) => {
  const secondOf = (event) =>
    Math.min(view.duration, Math.max(0, secondAt(event.clientX - area.getBoundingClientRect().left)));
  let pressed = null;
  let isFinger = false;
  area.addEventListener("pointerdown", (event) => {
    isFinger = event.pointerType === "touch";
    if (event.button || isFinger || !state.song) return;
    pressed = { x: event.clientX, second: secondOf(event) };
    area.setPointerCapture(event.pointerId);
  });
  area.addEventListener("pointermove", (event) => {
    if (!pressed || (!selecting && Math.abs(event.clientX - pressed.x) < DRAG_PX)) return;
    selecting = [pressed.second, secondOf(event)];
    draw();
  });
  area.addEventListener("pointerup", () => {
    if (!pressed) return;
    const [second, dragged] = [pressed.second, selecting];
    pressed = selecting = null;
    if (dragged) onPassage(Math.min(...dragged), Math.max(...dragged));
    else onMoment(second);
  });
  area.addEventListener("pointercancel", () => {
    pressed = selecting = null;
    draw();
  });
  area.addEventListener("click", (event) => {
    if (isFinger && state.song) onMoment(secondOf(event));
  });
};
export const giveUpSelecting = () => {
  const wasSelecting = Boolean(selecting);
  selecting = null;
  draw();
  return wasSelecting;
};

one("input[name=region]").addEventListener("change", draw);
when(["explanation", "alpha", "passage", "song", "listener"], draw);
