// Labels and their colours: singing and its absence have their own, others take turns.
import { one, element } from "./dom.js";
import { state, when } from "./state.js";

const OWN = ["vocal", "instrumental"];
const TURNS = 5; // colours of the style sheet

export const spoken = (label) => (label === "vocal" ? "singing" : label);
// The name of a label's colour, which is that of its class as well; "" for what is no label of the listener.
export const hue = (label) => {
  if (OWN.includes(label)) return label;
  const place = state.listener?.labels.indexOf(label) ?? -1;
  return place < 0 ? "" : `label-${place % TURNS}`;
};

when(["listener"], () => {
  const shown = (state.listener?.labels ?? []).map((label) => element("span", { className: hue(label) }, label));
  one("#hues").replaceChildren(...shown);
});
