// What a unit wants to hear: watched while it grows, stopped, and kept.
import { stream } from "./api.js";
import { button, element, offer, one, say } from "./dom.js";
import { colour } from "./colours.js";
import { complain } from "./errors.js";
import { layersThat } from "./layers.js";
import { canvasOf, paintInto } from "./pictures.js";
import { soundButton } from "./sounds.js";
import { change, state, when } from "./state.js";

const OUTPUT = "output"; // a listener's own answer
const [layer, feature, steps] = [one("#unit-layer"), one("#unit-feature"), one("#unit-steps")];
const [go, stop, keep] = ["maximise", "stop", "keep"].map((each) => one(`[data-do=${each}]`));
const told = one("#maximise-told");
const picture = one("#growing");
const graph = one("#growth");
let asking = null;
let grown = null; // the unit as it is now

const limit = () => {
  const features = state.listener?.layers.find((each) => each.name === layer.value)?.features ?? 1;
  feature.max = Math.max(0, features - 1);
  if (feature.value !== "") feature.value = Math.min(Number(feature.value), feature.max);
  one("#unit-feature-choice").hidden = features <= 1;
};
export const setUnit = (name, number) => {
  layer.value = name;
  limit();
  feature.value = number;
};

const paintGraph = ({ activations }) => {
  const context = graph.getContext("2d");
  const [width, height] = [graph.width, graph.height];
  const [low, high] = [Math.min(...activations), Math.max(...activations)];
  context.clearRect(0, 0, width, height);
  context.strokeStyle = colour("vocal");
  context.lineWidth = 3;
  context.beginPath();
  for (const [at, value] of activations.entries())
    context.lineTo(
      4 + (at * (width - 8)) / Math.max(1, activations.length - 1),
      height - 6 - ((height - 12) * (value - low)) / (high - low || 1),
    );
  context.stroke();
  one("#growth-told").textContent =
    `its activation, step by step: ${activations[0].toFixed(2)} to ${activations.at(-1).toFixed(2)}`;
};
const grow = (part) => {
  if (part.picture) {
    Object.assign(grown, { id: part.id, picture: part.picture });
    keep.disabled = false;
    paintInto(picture, part.picture);
  }
  if (part.activation !== undefined) {
    grown.activation = part.activation;
    grown.activations.push(part.activation);
    paintGraph(grown);
  }
  if (part.sound && part.sound !== grown.sound) {
    grown.sound = part.sound;
    showSound();
  }
  if (part.kind === "step")
    told.textContent = `${grown.name}: step ${part.step} of ${part.of}, activation ${part.activation.toFixed(3)}`;
};
const showControls = () => {
  go.disabled = Boolean(asking) || !layersThat("maximise").length;
  stop.disabled = !asking;
  keep.disabled = !grown?.picture;
  one("#grown").hidden = !grown;
};
const showSound = () =>
  one("#grown-sound").replaceChildren(
    ...(grown?.sound ? [soundButton({ name: "Play what it wants", url: grown.sound })] : []),
  );
const maximise = async () => {
  const mine = (asking = new AbortController());
  const isOutput = layer.value === OUTPUT;
  const number = one("#unit-feature-choice").hidden || feature.value === "" ? null : Number(feature.value);
  const whole = isOutput ? `the ${state.listener.name}'s answer` : `all of ${layer.value}`;
  const name = number === null ? whole : `${layer.value} ${number}`;
  const unit = { listener: state.listener.name, layer: layer.value, feature: number };
  grown = { ...unit, id: null, name, activations: [], activation: 0, picture: null, sound: null };
  told.textContent = `${name}: looking for a sound …`;
  showControls();
  showSound();
  say(`Maximising ${name}.`);
  try {
    const body = { ...unit, steps: Number(steps.value) };
    await stream("/api/maximise", {
      body,
      signal: mine.signal,
      each: grow,
      restart: () => (grown.activations.length = 0),
    });
    told.textContent = `${name}: activation ${grown.activation.toFixed(3)}.`;
    say(told.textContent);
  } catch (error) {
    if (error.name === "AbortError") told.textContent = `Stopped: ${name}, activation ${grown.activation.toFixed(3)}.`;
    complain(error);
  } finally {
    asking = null;
    showControls();
  }
};
const keepIt = () => {
  const { activations, ...unit } = grown;
  change({ kept: [...state.kept, unit] }, `keep ${unit.name}`);
  say(`${unit.name} is kept.`);
};
const showKept = () => {
  one("#kept").hidden = !state.kept.length;
  one("#kept-grid").replaceChildren(
    ...state.kept.map((each) =>
      element(
        "li",
        { className: "card" },
        element("h3", {}, each.name),
        canvasOf(each.picture, `What ${each.name} wants to hear`),
        element("p", { className: "quiet" }, `activation ${each.activation.toFixed(3)}`),
        element(
          "div",
          { className: "sounds" },
          each.sound ? soundButton({ name: "Play", url: each.sound }) : null,
          button(
            "Remove",
            () => change({ kept: state.kept.filter((other) => other !== each) }, `no longer keep ${each.name}`),
            { className: "plain", ariaLabel: `Remove ${each.name}` },
          ),
        ),
      ),
    ),
  );
};

go.addEventListener("click", maximise);
stop.addEventListener("click", () => asking?.abort());
keep.addEventListener("click", keepIt);
layer.addEventListener("change", limit);
when(["kept"], showKept);
when(["listener"], () => {
  asking?.abort();
  const layers = layersThat("maximise");
  offer(
    layer,
    layers.map(({ name }) => ({ value: name, text: name })),
    layers.at(-1)?.name ?? "",
  );
  for (const control of [layer, feature, steps]) control.disabled = !layers.length;
  told.textContent = layers.length ? "" : `The bundle has no generator for the ${state.listener?.name ?? "listener"}.`;
  limit();
  showControls();
});
