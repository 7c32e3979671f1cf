// What each feature of a layer hears of the moment: pictures and players, strongest first.
import { post } from "./api.js";
import { element, offer, one } from "./dom.js";
import { complain } from "./errors.js";
import { layersThat, moment } from "./layers.js";
import { canvasOf } from "./pictures.js";
import { soundButton } from "./sounds.js";
import { state, when } from "./state.js";
import { show as showTab } from "./tabs.js";
import { clock } from "./text.js";
import { setUnit } from "./maximise.js";

const grid = one("#feature-grid");
const told = one("#features-told");
const [layer, count] = [one("#feature-layer"), one("#feature-count")];
const go = one("[data-do=auralise]");
let asking = null;

const card = (name, { feature, activation, picture, sound }, strongest) => {
  const strength = element("b");
  strength.style.width = `${strongest ? (100 * activation) / strongest : 0}%`;
  return element(
    "li",
    { className: "card" },
    element("h3", {}, `${name} ${feature}`),
    picture ? canvasOf(picture, `What feature ${feature} of ${name} hears`) : null,
    element("div", { className: "strength", role: "img", ariaLabel: `Activation ${activation.toFixed(3)}` }, strength),
    element("p", { className: "quiet" }, activation ? `activation ${activation.toFixed(3)}` : "did not answer"),
    element(
      "div",
      { className: "sounds" },
      sound ? soundButton({ name: "Play", url: sound }) : null,
      layersThat("maximise").some((each) => each.name === name)
        ? element(
            "button",
            {
              type: "button",
              className: "plain",
              onclick: () => wish(name, feature),
              ariaLabel: `Maximise feature ${feature} of ${name}`,
            },
            "Maximise",
          )
        : null,
    ),
  );
};
const wish = (name, feature) => {
  setUnit(name, feature);
  showTab("maximise", { focus: true });
};
const auralise = async () => {
  if (!state.song) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  const at_s = moment();
  const name = layer.value;
  told.textContent = `Listening to ${name} at ${clock(at_s)} …`;
  try {
    const body = { at_s, listener: state.listener.name, layer: name, count: Number(count.value) };
    const { features } = await post(`/api/songs/${state.song.id}/auralise`, body, mine.signal);
    const strongest = Math.max(...features.map((each) => each.activation), 0);
    grid.replaceChildren(...features.map((each) => card(name, each, strongest)));
    told.textContent = `The ${features.length} features of ${name} that answer most at ${clock(at_s)}, strongest first. Each picture has its own scale.`;
  } catch (error) {
    told.textContent = "";
    complain(error);
  }
};
go.addEventListener("click", auralise);
when(["song", "listener"], () => {
  asking?.abort();
  grid.replaceChildren();
  const layers = layersThat("auralise");
  offer(
    layer,
    layers.map(({ name }) => ({ value: name, text: name })),
    layers.at(-1)?.name ?? "",
  );
  go.disabled = layer.disabled = count.disabled = !layers.length;
  told.textContent = layers.length
    ? ""
    : `The bundle has no features of the ${state.listener?.name ?? "listener"} to hear.`;
});
