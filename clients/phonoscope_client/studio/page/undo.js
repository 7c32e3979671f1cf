// Takes back what was done, and does it again.
import { one, say } from "./dom.js";
import { UNDOABLE, beforeEach, change, state } from "./state.js";

const MOST = 200;
const past = [];
const future = [];

const snapshot = () => Object.fromEntries(UNDOABLE.map((name) => [name, state[name]]));
const show = () => {
  for (const [control, deeds, word] of [
    ["undo", past, "Undo"],
    ["redo", future, "Redo"],
  ]) {
    const deed = deeds.at(-1)?.deed;
    const shown = one(`[data-do=${control}]`);
    shown.disabled = !deed;
    shown.title = deed ? `${word}: ${deed}` : `Nothing to ${control}`;
  }
};
const move = (from, to, word) => {
  const step = from.pop();
  if (!step) return say(`Nothing to ${word.toLowerCase()}.`);
  to.push({ deed: step.deed, before: snapshot() });
  change(step.before);
  show();
  say(`${word}: ${step.deed}.`);
};

export const undo = () => move(past, future, "Undo");
export const redo = () => move(future, past, "Redo");
// What was done on one song is not undone on another.
export const forget = () => {
  past.length = future.length = 0;
  show();
};

beforeEach((deed) => {
  past.push({ deed, before: snapshot() });
  if (past.length > MOST) past.shift();
  future.length = 0;
  show();
});
