// Opens the studio: what is served, which songs there are, and the moment that the address names.
import "./theme.js";
import "./waveform.js";
import "./curve.js";
import "./features.js";
import "./keyboard.js";
import "./nearest.js";
import { get } from "./api.js";
import { element, one } from "./dom.js";
import { complain } from "./errors.js";
import { open } from "./link.js";
import { choose, openSongs } from "./songs.js";
import { change, state } from "./state.js";
import { track, whenHeard } from "./track.js";

whenHeard(() => {
  const warnings = track.warnings.map((each) => element("li", {}, each));
  one("#warnings").hidden = !warnings.length;
  one("#warnings").replaceChildren(...warnings);
});

try {
  const bundle = await get("/api/bundle");
  change({ bundle, listener: bundle.listeners[0] });
  one("#served").textContent = `${bundle.bundle} at ${bundle.server}`;
  await openSongs();
  if (!(await open()) && state.songs.length) choose(state.songs[0].id);
} catch (error) {
  complain(error);
}
document.documentElement.dataset.opened = "true";
