// Where an answer rests: bins whose relevance is alpha or more, and how they are drawn over a spectrogram.
export const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const unpacked = ({ bits, frames, mels }) => {
  const packed = decoded(bits);
  return Uint8Array.from({ length: frames * mels }, (_, bit) => (packed[bit >> 3] >> (7 - (bit & 7))) & 1);
};
const thresholded = ({ values, frames, mels }, alpha) => {
  const mask = new Uint8Array(frames * mels);
  for (let bin = 0; bin < mask.length; bin++) mask[bin] = values[bin] >= 255 * alpha ? 1 : 0;
  return mask;
};
// The region as the service gives it, or, while alpha is moved, as the page finds it from the relevance.
export const regionOf = (explanation, alpha = null) => {
  const { region, relevance } = explanation;
  if (alpha === null || alpha === explanation.alpha || !relevance) {
    explanation.drawn ??= drawnRegion(unpacked(region), region.frames, region.mels);
    return explanation.drawn;
  }
  relevance.values ??= decoded(relevance.bytes);
  return drawnRegion(thresholded(relevance, alpha), relevance.frames, relevance.mels);
};

const drawnRegion = (mask, frames, mels) => {
  const inside = (frame, band) => frame >= 0 && band >= 0 && frame < frames && band < mels && mask[frame * mels + band];
  return {
    frames,
    mels,
    area: mask.reduce((sum, bin) => sum + bin, 0) / mask.length,
    veil: veil(mask, frames, mels),
    edge: outline(frames, mels, inside),
  };
};
// A shade over all that is outside, one pixel a bin.
const veil = (mask, frames, mels) => {
  const picture = new ImageData(frames, mels);
  for (let frame = 0; frame < frames; frame++)
    for (let band = 0; band < mels; band++)
      picture.data[4 * ((mels - 1 - band) * frames + frame) + 3] = mask[frame * mels + band] ? 0 : 128;
  const small = new OffscreenCanvas(frames, mels);
  small.getContext("2d").putImageData(picture, 0, 0);
  return small;
};
// Its edges; x counts frames, y bands from the highest down.
const outline = (frames, mels, inside) => {
  const edge = new Path2D();
  const line = (x0, y0, x1, y1) => {
    edge.moveTo(x0, y0);
    edge.lineTo(x1, y1);
  };
  for (let frame = 0; frame <= frames; frame++)
    for (let band = 0; band <= mels; band++) {
      const row = mels - 1 - band;
      const here = Boolean(inside(frame, band));
      if (here !== Boolean(inside(frame - 1, band))) line(frame, row, frame, row + 1);
      if (here !== Boolean(inside(frame, band - 1))) line(frame, row + 1, frame + 1, row + 1);
    }
  return edge;
};

export const drawRegion = (context, { veil, edge, frames, mels }, left, width, height, ratio) => {
  context.imageSmoothingEnabled = false;
  context.drawImage(veil, left, 0, width, height);
  const placed = new Path2D();
  placed.addPath(edge, new DOMMatrix([width / frames, 0, 0, height / mels, left, 0]));
  for (const [style, line] of [
    ["rgb(0 0 0 / .75)", 3],
    ["#5ff0dc", 1.5],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = line * ratio;
    context.stroke(placed);
  }
};
