// The panel that says why: verdict, players, findings, the excerpt close up, bars.
import { ask } from "./asking.js";
import { all, element, one } from "./dom.js";
import { answerLine, bars, findings, headline, sounds, warnings } from "./evidence.js";
import { canvasOf, excerptOf } from "./pictures.js";
import { mark as markPassage, head, seek } from "./player.js";
import { whenAsked } from "./spectrogram.js";
import { change, state, when } from "./state.js";
import { clock } from "./text.js";
import { show as showTab } from "./tabs.js";
import { afterDrawing } from "./view.js";

const panel = one("#why");
let closeUp = null;
// The excerpt as its listener hears it, where that is not on the bands of the track.
const ownAxes = ({ picture, region, listener }) => {
  if (!picture || picture.mels === region.mels) return null;
  const caption = `the excerpt as the ${listener} hears it, from its lowest band to its highest`;
  return element("figure", {}, canvasOf(picture, caption), element("figcaption", { className: "quiet" }, caption));
};
const show = () => {
  const { explanation } = state;
  one("#why-empty").hidden = Boolean(explanation);
  one("#why-full").hidden = !explanation;
  if (!explanation) return;
  for (const audio of all("#verdict audio")) audio.pause(); // of the moment before
  closeUp = excerptOf(explanation, `The excerpt around ${clock(explanation.at_s)}, with its region outlined`);
  const spanned = `${clock(explanation.start_s, 2)} to ${clock(explanation.end_s, 2)}, the region outlined`;
  one("#verdict").replaceChildren(
    answerLine(explanation),
    headline(explanation),
    ...[warnings(explanation)].filter(Boolean),
    sounds(explanation, { keys: true }),
    findings(explanation),
    ownAxes(explanation) ?? "",
  );
  one("#evidence").replaceChildren(
    element(
      "figure",
      { className: "close-up" },
      closeUp.canvas,
      element("figcaption", { className: "quiet" }, spanned),
    ),
    bars(explanation),
  );
};
when(["explanation"], () => afterDrawing(show));
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
    ask({ at_s: second });
    seek(second);
    showTab("why");
  },
  (start_s, end_s) => {
    change({ passage: { start_s, end_s } }, `passage ${clock(start_s)} to ${clock(end_s)}`);
    ask({ start_s, end_s }, "");
    showTab("why");
  },
);
