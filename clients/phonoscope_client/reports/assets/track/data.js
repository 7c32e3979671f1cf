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
const insideOf = ({ mask, frames }) => {
  const packed = bytes(mask);
  return (frame, band) => {
    if (frame < 0 || band < 0 || frame >= frames || band >= track.bands) return false;
    const bit = frame * track.bands + band;
    return Boolean(packed[bit >> 3] & (128 >> (bit & 7)));
  };
};
// A picture of a region, one pixel a bin: one colour inside it, another outside, as [red, green, blue, opacity].
const sprite = ({ frames }, inside, within, without) => {
  const picture = new ImageData(frames, track.bands);
  for (let frame = 0; frame < frames; frame++)
    for (let band = 0; band < track.bands; band++) {
      const place = 4 * ((track.bands - 1 - band) * frames + frame);
      picture.data.set(inside(frame, band) ? within : without, place);
    }
  const small = new OffscreenCanvas(frames, track.bands);
  small.getContext("2d").putImageData(picture, 0, 0);
  return small;
};
// The edges of a region; x counts frames, y bands from the highest down.
const outline = ({ frames }, inside) => {
  const edge = new Path2D();
  for (let frame = 0; frame <= frames; frame++)
    for (let band = 0; band <= track.bands; band++) {
      const row = track.bands - 1 - band;
      const here = inside(frame, band);
      if (here !== inside(frame - 1, band)) {
        edge.moveTo(frame, row);
        edge.lineTo(frame, row + 1);
      }
      if (here !== inside(frame, band - 1)) {
        edge.moveTo(frame, row + 1);
        edge.lineTo(frame + 1, row + 1);
      }
    }
  return edge;
};
const LIGHT = { holds: [95, 240, 220], fails: [255, 255, 255], untried: [255, 255, 255], doubtful: [255, 209, 102] };
// What is drawn of an explanation's region, made when it first comes into view.
const region = (each) => {
  if (!each.region) {
    const inside = insideOf(each);
    const light = LIGHT[each.standing];
    each.region = {
      tint: sprite(each, inside, [...light, 90], [0, 0, 0, 0]),
      veil: sprite(each, inside, [0, 0, 0, 0], [0, 0, 0, 128]),
      edge: outline(each, inside),
      colour: `rgb(${light.join(" ")})`,
    };
  }
  return each.region;
};

const clock = (seconds, decimals = 1) => {
  const scale = 10 ** decimals;
  const units = Math.round(seconds * scale);
  const rest = (units % (60 * scale)) / scale;
  return `${Math.floor(units / (60 * scale))}:${rest.toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0")}`;
};
