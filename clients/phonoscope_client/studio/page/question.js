// Who is asked, about which label, by which rule: selects, and two sliders that answer while they are moved.
import { ask, askAgain, explainsAnyLabel, ruleInUse } from "./asking.js";
import { offer, one } from "./dom.js";
import { complain } from "./errors.js";
import { regionOf } from "./region.js";
import { change, state, when } from "./state.js";
import { percent } from "./text.js";
import { hear } from "./track.js";
import { forget } from "./undo.js";
import { afterDrawing } from "./view.js";

const [listener, label, contrast] = ["#listener", "#label", "#contrast"].map((each) => one(each));
const [rule, alpha] = ["#rule", "#alpha"].map((each) => one(each));
const rules = () => state.listener?.rules ?? [];
const alphaInUse = () => {
  if (state.alpha !== null) return state.alpha;
  if (state.explanation?.alpha !== undefined && state.explanation.rule === ruleInUse()) return state.explanation.alpha;
  return rules().find((each) => each.name === ruleInUse())?.alpha ?? 0.5;
};

export const chooseListener = (name) => {
  const chosen = state.bundle.listeners.find((each) => each.name === name);
  if (!chosen || chosen === state.listener) return;
  const where = state.explanation?.where;
  change({ listener: chosen, label: "", contrast: "", rule: "", alpha: null, explanation: null });
  forget();
  if (where) ask(where);
};

const showChoices = () => {
  const { bundle, listener: chosen } = state;
  if (!chosen) return;
  const labels = chosen.labels.map((each) => ({ value: each, text: each }));
  offer(
    listener,
    bundle.listeners.map(({ name }) => ({ value: name, text: name })),
    chosen.name,
  );
  offer(label, [{ value: "", text: "what it answers" }, ...labels], state.label);
  offer(
    contrast,
    [{ value: "", text: "anything else" }, ...labels.filter(({ value }) => value !== state.label)],
    state.contrast,
  );
  one("#contrast-choice").hidden = !chosen.has?.contrast;
  const isFree = explainsAnyLabel();
  label.disabled = contrast.disabled = !isFree;
  label.title = isFree ? "" : `The rule ${ruleInUse()} explains the label that is answered.`;
};
const showSliders = () => {
  const names = rules().map(({ name }) => name);
  rule.max = Math.max(0, names.length - 1);
  rule.value = Math.max(0, names.indexOf(ruleInUse()));
  rule.setAttribute("aria-valuetext", ruleInUse());
  one("#rule-name").textContent = ruleInUse();
  alpha.value = alphaInUse();
  const region = state.explanation && regionOf(state.explanation, state.alpha);
  one("#alpha-name").textContent = alphaInUse().toFixed(2);
  const { explanation } = state;
  const isAhead =
    region &&
    state.alpha !== null &&
    explanation.alpha !== undefined &&
    Math.abs(state.alpha - explanation.alpha) > 0.001;
  one("#why").classList.toggle("ahead", Boolean(isAhead));
  const untried = isAhead
    ? ` What is told below is of alpha ${explanation.alpha.toFixed(2)} until this one is tried.`
    : "";
  one("#area").textContent = region
    ? `The region is ${percent(isAhead ? region.area : explanation.area)} of the excerpt.${untried}`
    : "";
  alpha.setAttribute("aria-valuetext", `${alphaInUse().toFixed(2)}${region ? `, region ${percent(region.area)}` : ""}`);
};

listener.addEventListener("change", () => chooseListener(listener.value));
label.addEventListener("change", () => {
  const clashes = state.contrast === label.value;
  change({ label: label.value, ...(clashes ? { contrast: "" } : {}) }, `explain ${label.value || "what it answers"}`);
  askAgain();
});
contrast.addEventListener("change", () => {
  change({ contrast: contrast.value }, `rather than ${contrast.value || "anything else"}`);
  askAgain();
});
rule.addEventListener("input", () => {
  const { name } = rules()[Number(rule.value)];
  change({ rule: name, alpha: null }, `rule ${name}`);
  askAgain();
});
// While it is moved the page itself draws what would be the region; its trials are asked for on release.
let isMoving = false;
alpha.addEventListener("input", () => {
  change({ alpha: Number(alpha.value) }, isMoving ? "" : "alpha");
  isMoving = true;
});
alpha.addEventListener("change", () => {
  isMoving = false;
  askAgain();
});
export const nudgeAlpha = (by) => {
  change({ alpha: Math.round(100 * Math.min(1, Math.max(0, alphaInUse() + by))) / 100 }, "alpha");
  askAgain();
};

const listen = () => state.song && state.listener && hear().catch(complain);
when(["bundle", "listener", "label", "contrast", "rule"], showChoices);
when(["listener", "rule", "alpha"], showSliders);
when(["explanation"], () => afterDrawing(showSliders));
when(["song", "listener", "label"], listen);
