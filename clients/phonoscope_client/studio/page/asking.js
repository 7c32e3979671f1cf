// Why here: the question about a moment or a passage, and the answer that is kept for when it is asked again.
import { post } from "./api.js";
import { one, say } from "./dom.js";
import { complain } from "./errors.js";
import { change, state, when } from "./state.js";
import { clock } from "./text.js";
import { afterDrawing, draw } from "./view.js";

const MOST_KEPT = 60;
const answers = new Map();
let asking = null;

export const ruleInUse = () => state.rule || state.listener?.rules[0]?.name || "";
// Some rules explain the label that is predicted, and no other.
export const explainsAnyLabel = () =>
  Boolean(state.listener?.rules.find(({ name }) => name === ruleInUse())?.explains_any_label);
const question = (where) => ({
  ...where,
  listener: state.listener.name,
  ...(state.label && explainsAnyLabel() ? { label: state.label } : {}),
  ...(state.contrast && explainsAnyLabel() ? { contrast: state.contrast } : {}),
  ...(state.rule ? { rule: state.rule } : {}),
  ...(state.alpha === null ? {} : { alpha: state.alpha }),
});
const answered = async (song, body, signal) => {
  const key = JSON.stringify([song.id, body]);
  if (!answers.has(key)) {
    const said = await post(`/api/songs/${song.id}/explain`, body, signal);
    const { at_s, start_s, end_s } = body;
    const where = at_s === undefined ? { start_s, end_s } : { at_s };
    answers.set(key, { ...said, song: song.id, songName: song.name, where });
    if (answers.size > MOST_KEPT) answers.delete(answers.keys().next().value);
  }
  return answers.get(key);
};

export const giveUp = () => {
  const wasAsking = Boolean(asking);
  asking?.abort();
  return wasAsking;
};
// What was asked of one song is no answer about another.
when(["song", "listener"], giveUp);
const showBusy = (text) => {
  one("#asking").textContent = text;
  one("#why").setAttribute("aria-busy", String(Boolean(text)));
};

// Asks why at `{ at_s }` or over `{ start_s, end_s }`; `deed` is what undo calls it, "" where the deed is another.
export const ask = async (where, deed = `why at ${clock(where.at_s ?? where.start_s)}`) => {
  if (!state.song) return;
  performance.mark("studio:click");
  asking?.abort();
  const mine = (asking = new AbortController());
  showBusy(
    where.at_s === undefined
      ? `Asking why from ${clock(where.start_s)} to ${clock(where.end_s)} …`
      : `Asking why at ${clock(where.at_s)} …`,
  );
  try {
    const explanation = await answered(state.song, question(where), mine.signal);
    if (mine.signal.aborted) return;
    change({ explanation }, deed);
    draw();
    requestAnimationFrame(() => performance.mark("studio:region-drawn"));
    afterDrawing(() => say(`At ${clock(explanation.at_s)}: ${explanation.label}. ${explanation.words.headline}`));
  } catch (error) {
    complain(error);
  } finally {
    if (asking === mine) {
      asking = null;
      afterDrawing(() => asking || showBusy(""));
    }
  }
};
// The same moment once more, with what has been chosen since.
export const askAgain = () => state.explanation && ask(state.explanation.where, "");
