// What each layer keeps of the moment: its inversion, beside the input.
import { post } from "./api.js";
import { element, one } from "./dom.js";
import { complain } from "./errors.js";
import { canvasOf } from "./pictures.js";
import { head } from "./player.js";
import { soundButton } from "./sounds.js";
import { state, when } from "./state.js";
import { clock, percent } from "./text.js";

const grid = one("#layer-grid");
const told = one("#layers-told");
const go = one("[data-do=invert]");
let asking = null;

// Layers of the chosen listener that a question can be put to.
export const layersThat = (can) => {
  const { layers = [], has = {} } = state.listener ?? {};
  return layers.filter((each) => (each.can ? each.can.includes(can) : has[can]));
};
// The moment that layers and features are asked about: the one explained, else where the head is.
export const moment = () => state.explanation?.at_s ?? head();

const card = (name, { picture, sound, distance, percentile }) =>
  element(
    "li",
    { className: "card" },
    element("h3", {}, name),
    canvasOf(picture, `Spectrogram of ${name}`),
    distance === undefined || distance === null
      ? null
      : element(
          "p",
          { className: "quiet" },
          `distance ${distance.toFixed(2)}${percentile === undefined ? "" : `, above that of ${percent(percentile)} of validation excerpts`}`,
        ),
    sound ? soundButton({ name: "Play", url: sound }) : null,
  );
const invert = async () => {
  if (!state.song) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  const at_s = moment();
  told.textContent = `Inverting every layer at ${clock(at_s)} …`;
  try {
    const said = await post(`/api/songs/${state.song.id}/invert`, { at_s, listener: state.listener.name }, mine.signal);
    grid.replaceChildren(
      card("Input", { picture: said.input, sound: said.sound ?? said.input.sound }),
      ...said.layers.map((each) => card(each.name, each)),
    );
    told.textContent = `At ${clock(said.at_s ?? at_s)}, from the first layer to the deepest: the spectrogram rebuilt from what each layer still holds.`;
  } catch (error) {
    told.textContent = "";
    complain(error);
  }
};
go.addEventListener("click", invert);
when(["song", "listener"], () => {
  asking?.abort();
  grid.replaceChildren();
  const can = layersThat("invert").length > 0;
  go.disabled = !can;
  told.textContent = can
    ? ""
    : `The bundle has no networks that invert layers of the ${state.listener?.name ?? "listener"}.`;
});
