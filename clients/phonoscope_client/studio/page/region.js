// Where an answer rests: bins whose relevance is alpha or more, and how they are drawn over a spectrogram.
export const decoded = (text) => {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
};
const unpacked = ({ bits, frames, mels }) => {
  const packed = decoded(bits);
  const mask = new Uint8Array(frames * mels);
  for (let bit = 0; bit < mask.length; bit++) mask[bit] = (packed[bit >> 3] >> (7 - (bit & 7))) & 1;
  return mask;
};
const thresholded = ({ values, frames, mels }, alpha) => {
  const mask = new Uint8Array(frames * mels);
  for (let bin = 0; bin < mask.length; bin++) mask[bin] = values[bin] >= 255 * alpha ? 1 : 0;
  return mask;
};

const regions = new WeakMap(); // explanation → its region
const moved = new WeakMap(); // explanation → { alpha, region } while alpha is moved
// The region as the service gives it, or, while alpha is moved, as the page finds it from the relevance.
export const regionOf = (explanation, alpha = null) => {
  const { region, relevance } = explanation;
  if (alpha === null || alpha === explanation.alpha) {
    if (!regions.has(explanation)) regions.set(explanation, drawable(unpacked(region), region.frames, region.mels));
    return regions.get(explanation);
  }
  if (moved.get(explanation)?.alpha !== alpha) {
    relevance.values ??= decoded(relevance.bytes);
    const { frames, mels } = relevance;
    moved.set(explanation, { alpha, region: drawable(thresholded(relevance, alpha), frames, mels) });
  }
  return moved.get(explanation).region;
};

const drawable = (mask, frames, mels) => {
  let inside = 0;
  for (let bin = 0; bin < mask.length; bin++) inside += mask[bin];
  return {
    frames,
    mels,
    area: inside / mask.length,
    veil: veil(mask, frames, mels),
    edge: outline(mask, frames, mels),
    overlay: null,
  };
};
// A shade over all that is outside, one pixel a bin.
const veil = (mask, frames, mels) => {
  const picture = new ImageData(frames, mels);
  for (let frame = 0; frame < frames; frame++)
    for (let band = 0; band < mels; band++)
      if (!mask[frame * mels + band]) picture.data[4 * ((mels - 1 - band) * frames + frame) + 3] = 128;
  const small = new OffscreenCanvas(frames, mels);
  small.getContext("2d").putImageData(picture, 0, 0);
  return small;
};
// Its edges; x counts frames, y bands from the highest down.
const outline = (mask, frames, mels) => {
  const edge = new Path2D();
  const line = (x0, y0, x1, y1) => {
    edge.moveTo(x0, y0);
    edge.lineTo(x1, y1);
  };
  const at = (frame, band) =>
    frame < 0 || band < 0 || frame >= frames || band >= mels ? 0 : mask[frame * mels + band];
  for (let frame = 0; frame <= frames; frame++)
    for (let band = 0; band <= mels; band++) {
      const row = mels - 1 - band;
      const here = at(frame, band);
      if (here !== at(frame - 1, band)) line(frame, row, frame, row + 1);
      if (here !== at(frame, band - 1)) line(frame, row + 1, frame + 1, row + 1);
    }
  return edge;
};

const LINES = [
  ["rgb(0 0 0 / .75)", 3],
  ["#5ff0dc", 1.5],
];
// Both on one canvas, made once for a size, so that a track that scrolls need not stroke its edges every frame.
const overlay = ({ veil, edge, frames, mels }, width, height, ratio) => {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(veil, 0, 0, width, height);
  const placed = new Path2D();
  placed.addPath(edge, new DOMMatrix([width / frames, 0, 0, height / mels, 0, 0]));
  for (const [style, line] of LINES) {
    context.strokeStyle = style;
    context.lineWidth = line * ratio;
    context.stroke(placed);
  }
  return canvas;
};
export const drawRegion = (context, region, left, width, height, ratio) => {
  const size = [width, height, ratio].join();
  if (region.overlay?.size !== size) {
    region.overlay = { size, canvas: overlay(region, Math.max(1, width), height, ratio) };
  }
  context.drawImage(region.overlay.canvas, left, 0);
};
