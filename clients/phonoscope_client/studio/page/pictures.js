// Pictures of maps outside the track: of layers, features, units, and of pinned moments.
import { element } from "./dom.js";
import { decoded, drawRegion, regionOf } from "./region.js";
import { framesPerSOf } from "./spectrogram.js";
import { drawFrames, painted } from "./tiles.js";
import { whenDrawn } from "./view.js";

// One pixel a bin; the style sheet makes it as large as there is room, without smoothing.
export const canvasOf = ({ frames, mels, bytes }, description) => {
  const made = element("canvas", { width: frames, height: mels, className: "picture", role: "img", ariaLabel: description });
  paintInto(made, { frames, mels, bytes });
  return made;
};
export const paintInto = (canvas, { frames, mels, bytes }) => {
  if (canvas.width !== frames || canvas.height !== mels) [canvas.width, canvas.height] = [frames, mels];
  canvas.getContext("2d", { alpha: false }).drawImage(painted(decoded(bytes), frames, mels), 0, 0);
};

const PIXELS_A_BIN = 4;
const unfinished = new Set();
whenDrawn(() => {
  for (const paint of unfinished) if (paint()) unfinished.delete(paint);
});
// The excerpt of an explanation with its region, from the tiles of its song as they arrive.
export const excerptOf = (explanation, description) => {
  const { frames, mels } = explanation.region;
  const scale = Math.max(1, Math.round((PIXELS_A_BIN * 80) / Math.max(mels, 80)));
  const [width, height] = [frames * scale, mels * scale];
  const made = element("canvas", { width, height, className: "picture", role: "img", ariaLabel: description });
  const context = made.getContext("2d", { alpha: false });
  const source = { song: explanation.song, listener: explanation.listener, mels, known: Infinity };
  const paint = () => {
    const isWhole = drawFrames(context, source, Math.round(explanation.start_s * framesPerSOf(explanation)), scale, width, height);
    if (isWhole) drawRegion(context, regionOf(explanation), 0, width, height, 1);
    return isWhole;
  };
  if (!paint()) unfinished.add(paint);
  return made;
};
