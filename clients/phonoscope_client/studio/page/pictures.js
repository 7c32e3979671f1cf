// Pictures of maps outside the track: of layers, features, units, and of pinned moments.
import { element } from "./dom.js";
import { decoded, drawRegion, regionOf } from "./region.js";
import { framesPerSOf } from "./spectrogram.js";
import { drawFrames, painted } from "./tiles.js";
import { heardOf } from "./track.js";
import { whenDrawn } from "./view.js";

// One pixel a bin; the style sheet makes it as large as there is room, without smoothing.
export const canvasOf = ({ frames, mels, bytes }, description) => {
  const made = element("canvas", {
    width: frames,
    height: mels,
    className: "picture",
    role: "img",
    ariaLabel: description,
  });
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
// The excerpt of an explanation with its region, from the tiles of its song as they arrive: its canvas, and what
// paints it anew, at another alpha where one is given.
export const excerptOf = (explanation, description) => {
  const { frames, mels } = explanation.region;
  const scale = mels > 2 * frames ? 1 : PIXELS_A_BIN;
  const [width, height] = [frames * scale, mels * scale];
  const canvas = element("canvas", { width, height, className: "picture", role: "img", ariaLabel: description });
  const context = canvas.getContext("2d", { alpha: false });
  const fromFrame = Math.round(explanation.start_s * framesPerSOf(explanation));
  // A moment may be explained before the song is heard so far.
  const paint = (alpha = null) => {
    const { frames: known, isWhole: isHeard } = heardOf(explanation.song);
    context.clearRect(0, 0, width, height);
    const isDrawn = drawFrames(context, { song: explanation.song, mels, known }, fromFrame, scale, width, height);
    const isWhole = isDrawn && (isHeard || known >= fromFrame + frames);
    drawRegion(context, regionOf(explanation, alpha), 0, width, height, 1.5);
    return isWhole;
  };
  if (!paint()) unfinished.add(() => paint());
  return { canvas, paint };
};
