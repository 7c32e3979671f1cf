// The probability along the song, its threshold and segments, and the seconds below.
import { one } from "./dom.js";
import { colour, whenThemeChanges } from "./colours.js";
import { hue } from "./labels.js";
import { clock } from "./text.js";
import { track } from "./track.js";
import { draw, secondAt, span, view, whenDrawn, xOf } from "./view.js";

const canvas = one("canvas[data-draws=curve]");
const context = canvas.getContext("2d");
const HEIGHT = 104; // CSS pixels: the curve, a strip of segments, the seconds
const CURVE = 72;
const STRIP = 8;
const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

const size = () => {
  const [width, height] = [Math.round(view.width * view.ratio), Math.round(HEIGHT * view.ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.clearRect(0, 0, view.width, HEIGHT);
};
const paintSegments = () => {
  const [from, to] = span();
  for (const each of track.segments) {
    if (each.end_s < from || each.start_s > to) continue;
    const left = Math.max(0, xOf(each.start_s));
    context.fillStyle = colour(hue(each.label ?? track.begun.label) || "quiet");
    context.fillRect(left, CURVE + 4, Math.max(1, Math.min(view.width, xOf(each.end_s)) - left), STRIP);
  }
};
const lineColour = () => colour(hue(track.begun.label) || "vocal");
// A line through the mean of what a pixel stands for, and a shade from its least to its most.
const paintCurve = () => {
  const perPixel = track.begun.frames_per_second / view.pxPerS;
  const first = secondAt(0) * track.begun.frames_per_second;
  const y = (probability) => 2 + (CURVE - 4) * (1 - probability);
  context.strokeStyle = context.fillStyle = lineColour();
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  const shade = new Path2D();
  for (let x = 0; x <= view.width; x++) {
    const from = Math.floor(first + x * perPixel);
    const to = Math.max(from + 1, Math.floor(first + (x + 1) * perPixel));
    if (from >= track.known) break;
    let [sum, low, high] = [0, 1, 0];
    for (let frame = from; frame < to && frame < track.known; frame++) {
      const value = track.probability[frame];
      sum += value;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const mean = sum / (Math.min(to, track.known) - from);
    context.lineTo(x, y(mean));
    if (perPixel > 1) shade.rect(x, y(high), 1, Math.max(0, y(low) - y(high)));
  }
  context.stroke();
  context.globalAlpha = 0.22;
  context.fill(shade);
  context.globalAlpha = 1;
};
const paintThreshold = () => {
  if (!track.begun.threshold) return;
  const y = 2 + (CURVE - 4) * (1 - track.begun.threshold);
  context.strokeStyle = colour("ink");
  context.lineWidth = 1;
  context.setLineDash([5, 4]);
  context.beginPath();
  context.moveTo(0, y);
  context.lineTo(view.width, y);
  context.stroke();
  context.setLineDash([]);
};
const paintSeconds = () => {
  const [from, to] = span();
  const step = STEPS_S.find((each) => each * view.pxPerS >= 76) ?? 7200;
  context.fillStyle = colour("quiet");
  context.font = `12px ${fontFamily()}`;
  context.textAlign = "center";
  for (let at = Math.ceil(from / step) * step; at <= to + 1e-9; at += step) {
    const x = xOf(at);
    context.fillRect(x - 0.5, CURVE + STRIP + 6, 1, 4);
    const text = clock(at, step < 1 ? 1 : 0);
    const half = context.measureText(text).width / 2 + 1;
    context.fillText(text, Math.min(view.width - half, Math.max(half, x)), HEIGHT - 4);
  }
};
let font = "";
const fontFamily = () => (font ||= getComputedStyle(document.body).fontFamily);

whenDrawn(() => {
  size();
  if (!track.begun || !view.duration) return;
  paintCurve();
  paintThreshold();
  paintSegments();
  paintSeconds();
});
whenThemeChanges(draw);
