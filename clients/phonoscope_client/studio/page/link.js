// The address names the moment: it can be kept, passed on, and opened again.
import { ask } from "./asking.js";
import { seek } from "./player.js";
import { chooseListener } from "./question.js";
import { choose } from "./songs.js";
import { change, state, when } from "./state.js";
import { afterDrawing, approach } from "./view.js";

const CLOSE_SPAN_S = 12;
const fragment = () => {
  const { song, explanation, listener, label, contrast, rule, alpha } = state;
  if (!song) return "";
  const parts = { song: song.id };
  if (explanation?.passage)
    Object.assign(parts, { from: explanation.where.start_s.toFixed(3), to: explanation.where.end_s.toFixed(3) });
  else if (explanation) parts.t = explanation.at_s.toFixed(3);
  if (listener !== state.bundle?.listeners[0]) parts.listener = listener.name;
  Object.assign(parts, label && { label }, contrast && { contrast }, rule && { rule }, alpha !== null && { alpha });
  return `#${new URLSearchParams(parts)}`;
};
export const momentLink = () => `${location.origin}${location.pathname}${fragment()}`;

let written = "";
const write = () => {
  written = fragment();
  if (written && written !== location.hash) history.replaceState(null, "", written);
};
const number = (parts, name) =>
  parts.has(name) && Number.isFinite(Number(parts.get(name))) ? Number(parts.get(name)) : null;

// Opens what the address names; says whether it named a song that is here.
export const open = async () => {
  const parts = new URLSearchParams(location.hash.slice(1));
  const song = state.songs.find((each) => each.id === parts.get("song"));
  if (!song) return false;
  if (parts.has("listener")) chooseListener(parts.get("listener"));
  const known = state.listener;
  const label = known.labels.includes(parts.get("label")) ? parts.get("label") : "";
  const contrast = known.labels.includes(parts.get("contrast")) ? parts.get("contrast") : "";
  const rule = known.rules.some(({ name }) => name === parts.get("rule")) ? parts.get("rule") : "";
  change({ label, contrast, rule, alpha: number(parts, "alpha") });
  choose(song.id);
  const [at_s, start_s, end_s] = ["t", "from", "to"].map((name) => number(parts, name));
  const second = at_s ?? start_s;
  if (second === null || second > song.duration_s) return true;
  seek(second);
  approach(second, CLOSE_SPAN_S);
  await ask(at_s === null && end_s !== null ? { start_s, end_s } : { at_s: second }, "");
  return true;
};
when(["song", "explanation", "listener", "label", "contrast", "rule", "alpha"], () => afterDrawing(write));
window.addEventListener("hashchange", () => location.hash !== written && open());
