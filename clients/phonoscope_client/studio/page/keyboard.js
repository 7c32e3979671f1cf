// Everything by key. What a control does with a key itself stays its own.
import { giveUp } from "./asking.js";
import { element, one } from "./dom.js";
import { clearPassage, head, mark, seek, toggle, toggleRepeat } from "./player.js";
import { pin, step } from "./pins.js";
import { nudgeAlpha } from "./question.js";
import { giveUpSelecting } from "./spectrogram.js";
import { copyLink, saveStory } from "./story.js";
import { stepPanel } from "./tabs.js";
import { nextTheme } from "./theme.js";
import { redo, undo } from "./undo.js";
import { scrollBy, showAll, view, zoom } from "./view.js";
import { askHere, askPassage, hearSound } from "./why.js";

const dialog = one("#keys");
const help = () => (dialog.open ? dialog.close() : dialog.showModal());
const closer = () => zoom(2, head());
const wider = () => zoom(1 / 2, head());
const cancel = () => giveUpSelecting() || giveUp() || clearPassage();

// keys as they are shown, what they do, and the names by which an event calls them
const BINDINGS = [
  ["Space or K", "play and pause", [" ", "k"], toggle],
  ["← →", "a second back, on", ["ArrowLeft"], () => seek(head() - 1)],
  [null, null, ["ArrowRight"], () => seek(head() + 1)],
  ["Shift ← →", "a tenth of a second", ["shift+ArrowLeft"], () => seek(head() - 0.1)],
  [null, null, ["shift+ArrowRight"], () => seek(head() + 0.1)],
  ["J L", "five seconds back, on", ["j"], () => seek(head() - 5)],
  [null, null, ["l"], () => seek(head() + 5)],
  ["Home End", "to the beginning, to the end", ["Home"], () => seek(0)],
  [null, null, ["End"], () => seek(view.duration)],
  ["Enter", "why here, at the head", ["Enter"], askHere],
  ["[ ]", "the passage begins, ends at the head", ["["], () => mark("start_s")],
  [null, null, ["]"], () => mark("end_s")],
  ["Shift Enter", "why this passage", ["shift+Enter"], askPassage],
  ["R", "repeat the passage, or the song", ["r"], toggleRepeat],
  ["1 2 3 4 5", "hear original, region, removed; in other music", ["1"], () => hearSound(0)],
  [null, null, ["2"], () => hearSound(1)],
  ...[3, 4, 5].map((number) => [null, null, [String(number)], () => hearSound(number - 1)]),
  ["↑ ↓", "a higher, a lower alpha", ["ArrowUp"], () => nudgeAlpha(0.05)],
  [null, null, ["ArrowDown"], () => nudgeAlpha(-0.05)],
  ["P", "pin the moment", ["p"], pin],
  ["N B", "next pin, the one before", ["n"], () => step(1)],
  [null, null, ["b"], () => step(-1)],
  ["+ − 0", "closer, wider, all of the song", ["+", "="], closer],
  [null, null, ["-", "−"], wider],
  [null, null, ["0"], showAll],
  ["Page up, Page down", "scroll the song", ["PageUp"], () => scrollBy(-0.8)],
  [null, null, ["PageDown"], () => scrollBy(0.8)],
  [", .", "the panel before, the next", [","], () => stepPanel(-1)],
  [null, null, ["."], () => stepPanel(1)],
  ["Z or Ctrl Z", "undo", ["z", "ctrl+z"], undo],
  ["Shift Z", "do again", ["shift+z", "ctrl+shift+z"], redo],
  ["S", "save the story", ["s"], saveStory],
  ["C", "copy a link to the moment", ["c"], copyLink],
  ["T", "theme", ["t"], nextTheme],
  ["Esc", "give up a question or the passage", ["Escape"], cancel],
  ["?", "these keys", ["?", "shift+?"], help],
];
const does = new Map(BINDINGS.flatMap(([, , names, deed]) => names.map((name) => [name, deed])));

const nameOf = ({ key, ctrlKey, metaKey, altKey, shiftKey }) => {
  const plain = key.length === 1 ? key.toLowerCase() : key;
  const isLetterOrWord = plain.length > 1 || /[a-z]/.test(plain);
  return `${altKey ? "alt+" : ""}${ctrlKey || metaKey ? "ctrl+" : ""}${shiftKey && isLetterOrWord ? "shift+" : ""}${plain}`;
};
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const OWN = {
  BUTTON: [" ", "Enter"],
  A: ["Enter"],
  INPUT: { range: ARROWS, checkbox: [" "] },
};
const isOwn = ({ target }, name) => {
  const bare = name.replace(/^shift\+/, "");
  if (["TEXTAREA", "SELECT"].includes(target.tagName) || target.isContentEditable) return name !== "Escape";
  const own = OWN[target.tagName];
  if (!own) return false;
  if (Array.isArray(own)) return own.includes(bare);
  return own[target.type] ? own[target.type].includes(bare) : name !== "Escape"; // the others are written into
};
document.addEventListener("keydown", (event) => {
  const name = nameOf(event);
  const deed = does.get(name);
  if (!deed || isOwn(event, name) || (dialog.open && deed !== help)) return;
  event.preventDefault();
  deed();
});

one("dl", dialog).replaceChildren(
  ...BINDINGS.filter(([keys]) => keys).map(([keys, text]) =>
    element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, text)),
  ),
);
const buttons = {
  play: toggle,
  repeat: toggleRepeat,
  "passage-begins": () => mark("start_s"),
  "passage-ends": () => mark("end_s"),
  "ask-passage": askPassage,
};
Object.assign(buttons, {
  "ask-here": askHere,
  "no-passage": clearPassage,
  closer,
  wider,
  all: showAll,
  pin,
  undo,
  redo,
  theme: nextTheme,
  keys: help,
  "close-keys": help,
});
for (const [name, deed] of Object.entries(buttons))
  for (const control of document.querySelectorAll(`[data-do=${name}]`)) control.addEventListener("click", deed);
