// Which part of the song is in view. One native scroller moves it; everything else is painted after it, once a frame.
import { one } from "./dom.js";

const scroller = one(".scroller");
const spacer = one(".spacer");
const stack = one(".stack");
const MOST_PIXELS_A_FRAME = 16;
const painters = [];
let scheduled = false;

export const view = { pxPerS: 1, left: 0, width: 1, ratio: 1, duration: 0, framesPerS: 70 };
export const secondAt = (x) => (view.left + x) / view.pxPerS;
export const xOf = (second) => second * view.pxPerS - view.left;
export const span = () => [secondAt(0), Math.min(view.duration, secondAt(view.width))];

export const whenDrawn = (paint) => painters.push(paint);
const drawNow = () => {
  scheduled = false;
  for (const paint of painters) paint();
};
export const draw = () => {
  if (!scheduled) requestAnimationFrame(drawNow);
  scheduled = true;
};

// Does something once what is known now has been painted: what can wait must not keep that from being seen.
export const afterDrawing = (does) => {
  draw();
  requestAnimationFrame(() => setTimeout(does));
};

const measure = () => {
  view.width = scroller.clientWidth;
  view.ratio = window.devicePixelRatio || 1;
  view.left = scroller.scrollLeft;
  stack.style.width = `${view.width}px`;
};
const least = () => view.width / view.duration;
// A whole number of the screen's pixels to a frame, so that bins stay crisp; below one, any.
const snapped = (pxPerS) => {
  const devicePixels = (pxPerS * view.ratio) / view.framesPerS;
  if (devicePixels < 1.2) return pxPerS;
  return (Math.min(MOST_PIXELS_A_FRAME, Math.round(devicePixels)) * view.framesPerS) / view.ratio;
};
const lay = (pxPerS, second, x) => {
  view.pxPerS = Math.max(least(), snapped(pxPerS));
  spacer.style.width = `${Math.max(view.width, Math.floor(view.duration * view.pxPerS))}px`;
  scroller.scrollLeft = second * view.pxPerS - x;
  view.left = scroller.scrollLeft;
  draw();
};

// Zooms by a factor and keeps a second where it is.
export const zoom = (factor, second = secondAt(view.width / 2)) => {
  const x = Math.min(view.width, Math.max(0, xOf(second)));
  lay(view.pxPerS * factor, second, x);
};
export const showAll = () => lay(0, 0, 0);
// Brings a second into view, and some of what is around it.
export const reveal = (second, { centred = false } = {}) => {
  const x = xOf(second);
  if (!centred && x >= 0 && x <= view.width) return;
  scroller.scrollLeft = second * view.pxPerS - view.width * (centred ? 0.5 : 0.1);
};
// As close as a region is seen well.
export const approach = (second, spanS) => lay(Math.max(view.pxPerS, view.width / spanS), second, view.width / 2);
export const scrollBy = (shareOfWidth) => scroller.scrollBy({ left: shareOfWidth * view.width });

export const openSong = (duration) => {
  view.duration = duration;
  measure();
  showAll();
};
export const setFrames = (framesPerS) => {
  view.framesPerS = framesPerS;
  lay(view.pxPerS, view.left / view.pxPerS, 0);
};

scroller.addEventListener("scroll", () => {
  view.left = scroller.scrollLeft;
  draw();
});
scroller.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(2 ** (-event.deltaY / 200), secondAt(event.clientX - scroller.getBoundingClientRect().left));
  },
  { passive: false },
);
new ResizeObserver(() => {
  if (!view.duration) return measure();
  const wasAll = view.pxPerS <= least() * 1.01;
  const middle = secondAt(view.width / 2);
  measure();
  if (wasAll) showAll();
  else lay(view.pxPerS, middle, view.width / 2);
}).observe(scroller);
