// What is drawn: columns of the track, and the regions of its explanations as paths of frames and bands.
const drawing = JSON.parse(document.getElementById("drawing").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const track = {
  ...drawing,
  levels: bytes(drawing.levels),
  colours: bytes(drawing.colours),
  waveform: new Int8Array(bytes(drawing.waveform).buffer),
  probability: bytes(drawing.probability),
};
const columnAt = (seconds) => Math.floor((seconds - track.start_s) * track.columns_per_second);

// A mask's bits are packed frame by frame, the lowest band first; in a picture the highest band is on top.
const region = ({ mask, frames }) => {
  const packed = bytes(mask);
  const inside = (frame, band) => {
    if (frame < 0 || band < 0 || frame >= frames || band >= track.bands) return false;
    const bit = frame * track.bands + band;
    return Boolean(packed[bit >> 3] & (128 >> (bit & 7)));
  };
  const filled = new Path2D();
  const outside = new Path2D();
  const edge = new Path2D();
  for (let frame = 0; frame <= frames; frame++)
    for (let band = 0; band <= track.bands; band++) {
      const row = track.bands - 1 - band;
      const here = inside(frame, band);
      if (frame < frames && band < track.bands) (here ? filled : outside).rect(frame, row, 1, 1);
      if (here !== inside(frame - 1, band)) {
        edge.moveTo(frame, row);
        edge.lineTo(frame, row + 1);
      }
      if (here !== inside(frame, band - 1)) {
        edge.moveTo(frame, row + 1);
        edge.lineTo(frame + 1, row + 1);
      }
    }
  return { filled, outside, edge };
};
for (const each of track.explanations) each.region = region(each);

const clock = (seconds, decimals = 1) => {
  const scale = 10 ** decimals;
  const units = Math.round(seconds * scale);
  const rest = (units % (60 * scale)) / scale;
  return `${Math.floor(units / (60 * scale))}:${rest.toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0")}`;
};
