// The panel that says why: verdict, players, sliders, bars, findings, and what was nearest.
import { ask } from "./asking.js";
import { element, one } from "./dom.js";
import { answerLine, bars, findings, headline, sounds, warnings } from "./evidence.js";
import { canvasOf, excerptOf } from "./pictures.js";
import { mark as markPassage, head, seek } from "./player.js";
import { silence, soundButton } from "./sounds.js";
import { whenAsked } from "./spectrogram.js";
import { change, state, when } from "./state.js";
import { clock } from "./text.js";
import { show as showTab } from "./tabs.js";

const panel = one("#why");
const nearestOf = ({ nearest }) => {
  if (!nearest?.length) return null;
  const cards = nearest.map((each) =>
    element(
      "li",
      {},
      each.picture ? canvasOf(each.picture, `Spectrogram of ${each.name}`) : null,
      element("p", {}, [each.name, each.at_s === undefined ? "" : clock(each.at_s), each.label ?? ""].filter(Boolean).join(", ")),
      each.distance === undefined ? null : element("p", { className: "quiet" }, `distance ${Number(each.distance).toFixed(2)}`),
      each.sound ? soundButton({ name: "Play", url: each.sound }) : null,
    ),
  );
  return element("div", { className: "nearest" }, element("h3", {}, "Nearest examples"), element("ul", { className: "grid" }, ...cards));
};

let closeUp = null;
const show = () => {
  const { explanation } = state;
  one("#why-empty").hidden = Boolean(explanation);
  one("#why-full").hidden = !explanation;
  if (!explanation) return;
  silence();
  closeUp = excerptOf(explanation, `The excerpt around ${clock(explanation.at_s)}, with its region outlined`);
  const spanned = `${clock(explanation.start_s, 2)} to ${clock(explanation.end_s, 2)}, the region outlined`;
  one("#verdict").replaceChildren(
    answerLine(explanation),
    headline(explanation),
    ...[warnings(explanation)].filter(Boolean),
    sounds(explanation, { keys: true }),
    findings(explanation),
  );
  one("#evidence").replaceChildren(
    element("figure", { className: "close-up" }, closeUp.canvas, element("figcaption", { className: "quiet" }, spanned)),
    bars(explanation),
  );
  one("#nearest").replaceChildren(...[nearestOf(explanation)].filter(Boolean));
};
when(["explanation"], show);
when(["alpha"], () => state.explanation && closeUp?.paint(state.alpha));

export const hearSound = (number) => panel.querySelectorAll("#verdict .sound")[number]?.click();

// Asks at the head, or over the passage that is marked.
export const askHere = () => {
  showTab("why");
  return ask({ at_s: head() });
};
export const askPassage = () => {
  if (!state.passage) return markPassage("end_s");
  showTab("why");
  return ask({ ...state.passage });
};
whenAsked(
  (second) => {
    seek(second);
    showTab("why");
    ask({ at_s: second });
  },
  (start_s, end_s) => {
    change({ passage: { start_s, end_s } }, `passage ${clock(start_s)} to ${clock(end_s)}`);
    showTab("why");
    ask({ start_s, end_s }, "");
  },
);
