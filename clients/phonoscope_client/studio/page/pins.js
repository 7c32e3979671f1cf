// Moments that are kept: marked above the spectrogram, listed, and two of them side by side.
import { button, element, offer, one, say } from "./dom.js";
import { answerLine, bars, findings, headline, sounds } from "./evidence.js";
import { hue } from "./labels.js";
import { excerptOf } from "./pictures.js";
import { seek } from "./player.js";
import { choose } from "./songs.js";
import { change, state, when } from "./state.js";
import { clock } from "./text.js";
import { show as showTab } from "./tabs.js";
import { approach, view, whenDrawn, xOf } from "./view.js";

const marks = one(".marks");
const list = one("#pin-list");
const sides = [one("#left"), one("#right")];
const CLOSE_SPAN_S = 12;

export const pin = () => {
  const { explanation, pins } = state;
  if (!explanation) return say("Ask why at a moment first, then pin it.");
  if (pins.some((each) => each.explanation === explanation)) return say("This moment is pinned already.");
  const number = 1 + Math.max(0, ...pins.map((each) => each.number));
  const pinned = { number, explanation, note: "" };
  change({ pins: [...pins, pinned] }, `pin ${number} at ${clock(explanation.at_s)}`);
  say(`Pin ${number} at ${clock(explanation.at_s)}.`);
};
const unpin = (pinned) => change({ pins: state.pins.filter((each) => each !== pinned) }, `no pin ${pinned.number}`);
const note = (pinned, text) =>
  change(
    { pins: state.pins.map((each) => (each === pinned ? { ...pinned, note: text } : each)) },
    `note on pin ${pinned.number}`,
  );

export const go = ({ explanation }) => {
  choose(explanation.song);
  change({ explanation }, `pin at ${clock(explanation.at_s)}`);
  seek(explanation.at_s);
  approach(explanation.at_s, CLOSE_SPAN_S);
  showTab("why");
};
// From the moment that is drawn to the next pin of the song, or the one before.
export const step = (by) => {
  const here = state.pins
    .filter((each) => each.explanation.song === state.song?.id)
    .sort((a, b) => a.explanation.at_s - b.explanation.at_s);
  if (!here.length) return say("Nothing is pinned in this song.");
  const at = here.findIndex((each) => each.explanation === state.explanation);
  go(here[at < 0 ? (by > 0 ? 0 : here.length - 1) : (at + by + here.length) % here.length]);
};

const title = ({ number, explanation }) => `Pin ${number}, ${clock(explanation.at_s)}, ${explanation.label}`;
const showMarks = () => {
  const here = state.pins.filter((each) => each.explanation.song === state.song?.id);
  marks.replaceChildren(
    ...here.map((each) => {
      const mark = button(String(each.number), () => go(each), {
        className: `mark ${hue(each.explanation.label)}`,
        ariaLabel: title(each),
        title: title(each),
      });
      mark.dataset.atS = each.explanation.at_s;
      return mark;
    }),
  );
  placeMarks();
};
const placeMarks = () => {
  for (const mark of marks.children) {
    const x = xOf(Number(mark.dataset.atS));
    mark.hidden = x < 0 || x > view.width;
    mark.style.transform = `translateX(calc(${Math.round(x)}px - 50%))`;
  }
};
const showList = () => {
  one("#pins-empty").hidden = state.pins.length > 0;
  list.replaceChildren(
    ...state.pins.map((each) => {
      const written = element("input", {
        type: "text",
        value: each.note,
        placeholder: "a note for the story",
        ariaLabel: `Note on pin ${each.number}`,
        maxLength: 500,
      });
      written.addEventListener("change", () => note(each, written.value));
      return element(
        "li",
        {},
        button(title(each), () => go(each), { className: "plain go" }),
        element("span", { className: "quiet song-name" }, each.explanation.songName),
        written,
        button("Remove", () => unpin(each), { className: "plain", ariaLabel: `Remove pin ${each.number}` }),
      );
    }),
  );
};
const card = (select, place) => {
  const pinned = state.pins.find((each) => String(each.number) === select.value);
  place.replaceChildren();
  if (!pinned) return;
  const { explanation } = pinned;
  const { canvas } = excerptOf(explanation, `Spectrogram of pin ${pinned.number} with its region`);
  place.append(
    canvas,
    answerLine(explanation),
    headline(explanation),
    sounds(explanation),
    bars(explanation),
    findings(explanation),
  );
};
const chosen = new Map(); // by hand
// The two newest stand side by side until others are chosen.
const showPair = () => {
  one("#pair").hidden = state.pins.length < 2;
  const options = state.pins.map((each) => ({ value: String(each.number), text: title(each) }));
  for (const [side, select] of sides.entries()) {
    if (!options.some(({ value }) => value === chosen.get(select))) chosen.delete(select);
    offer(select, options, chosen.get(select) ?? options.at(side - 2)?.value ?? "");
    card(select, one(`#${select.id}-card`));
  }
};
for (const select of sides)
  select.addEventListener("change", () => {
    chosen.set(select, select.value);
    card(select, one(`#${select.id}-card`));
  });
when(["pins"], () => {
  showList();
  showPair();
  one("#pin-count").textContent = state.pins.length ? ` ${state.pins.length}` : "";
});
when(["pins", "song"], showMarks);
whenDrawn(placeMarks);
