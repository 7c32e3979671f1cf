// The waveform, by wavesurfer.js; a drag on it marks the passage that is repeated.
import WaveSurfer from "./vendor/wavesurfer.esm.js";
import Regions from "./vendor/regions.esm.js";
import { get } from "./api.js";
import { colour, whenThemeChanges } from "./colours.js";
import { one } from "./dom.js";
import { complain } from "./errors.js";
import { recording, seek } from "./player.js";
import { change, state, when } from "./state.js";
import { clock } from "./text.js";
import { track, whenHeard } from "./track.js";
import { view, whenDrawn } from "./view.js";

const HEIGHT = 72; // CSS pixels
let surfer = null;
let regions = null;
let drawnPxPerS = 0;
let waiting = null; // the song whose waveform is not asked for yet
let isOurs = false; // whether a region is being put where the passage is, not by hand

const colours = () => ({ waveColor: colour("wave"), progressColor: colour("wave") });

const draggable = () => {
  regions = surfer.registerPlugin(Regions.create());
  regions.enableDragSelection({ color: colour("passage") });
  const take = (region) => {
    if (isOurs) return;
    const passage = { start_s: region.start, end_s: region.end };
    change({ passage, repeats: true }, `passage ${clock(region.start)} to ${clock(region.end)}`);
  };
  regions.on("region-created", take);
  regions.on("region-updated", take);
};
const showPassage = () => {
  if (!regions) return;
  isOurs = true;
  regions.clearRegions();
  const { passage } = state;
  if (passage) regions.addRegion({ start: passage.start_s, end: passage.end_s, color: colour("passage") });
  isOurs = false;
};

const clear = () => {
  surfer?.destroy();
  surfer = regions = null;
  drawnPxPerS = 0;
  waiting = state.song;
  if (state.song) recording.src = `/api/songs/${state.song.id}/audio`;
};
// After the first of the curve, which is what one waits for: both keep the machine busy.
const load = async () => {
  const song = waiting;
  if (!song || !track.known) return;
  waiting = null;
  try {
    const { low, high } = await get(`/api/songs/${song.id}/peaks`);
    if (state.song !== song) return;
    surfer = WaveSurfer.create({
      ...colours(),
      container: one(".area.waveform"),
      media: recording,
      duration: song.duration_s,
      peaks: [high.map((each) => each / 127), low.map((each) => each / 127)],
      height: HEIGHT,
      normalize: true,
      cursorWidth: 0,
      autoScroll: false,
      autoCenter: false,
      hideScrollbar: true,
    });
    surfer.on("interaction", (second) => seek(second));
    surfer.once("ready", () => {
      draggable();
      showPassage();
      place();
    });
  } catch (error) {
    complain(error);
  }
};
const place = () => {
  if (!surfer?.getDecodedData() || !view.duration) return;
  if (drawnPxPerS !== view.pxPerS) {
    drawnPxPerS = view.pxPerS;
    surfer.zoom(view.pxPerS);
  }
  if (surfer.getScroll() !== view.left) surfer.setScroll(view.left);
};

when(["song"], clear);
whenHeard(load);
when(["passage"], showPassage);
whenDrawn(place);
whenThemeChanges(() => surfer?.setOptions(colours()));
