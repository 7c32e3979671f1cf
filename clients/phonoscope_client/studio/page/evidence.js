// What was tried on an explanation and what came of it, as the page shows it: verdict, bars, findings, sounds.
import { element } from "./dom.js";
import { hue, spoken } from "./labels.js";
import { soundButton } from "./sounds.js";
import { clock } from "./text.js";

const SOUNDS = {
  original: "Original",
  region: "Region",
  removed: "Removed",
  carried: "In other music",
  silhouette: "Its silhouette",
};

export const answerLine = (explanation) => {
  const { at_s, passage, listener, label, contrast, probability, threshold } = explanation;
  const where = passage ? `Of ${clock(passage[0])} to ${clock(passage[1])} at ${clock(at_s)}` : `At ${clock(at_s)}`;
  const against = contrast ? `, rather than ${contrast}` : "";
  const enough = threshold ? ` (${threshold.toFixed(2)} is enough)` : "";
  return element(
    "p",
    { className: "answer" },
    `${where} the ${listener} answers `,
    element("strong", { className: hue(label) }, label),
    `${against}: probability of ${explanation.spoken ?? spoken(label)} ${probability.toFixed(2)}${enough}.`,
  );
};
export const headline = (explanation) => element("p", { className: "headline" }, explanation.words.headline);

// Tries of one kind, such as "Region carried 1" and "Region carried 2", make one row.
const grouped = (trials) => {
  const rows = new Map();
  for (const trial of trials) {
    const name = trial.name.replace(/ \d+\b/, "");
    rows.set(name, [...(rows.get(name) ?? []), trial]);
  }
  return [...rows].map(([name, tries]) => ({ name, tries }));
};
const said = (tries) => {
  const mean = tries.reduce((sum, each) => sum + each.value, 0) / tries.length;
  const [{ label, holds, n }] = tries;
  if (n > 1) return { mean, label: "", text: `${mean.toFixed(2)}`, note: `${holds} of ${n} keep it` };
  if (tries.length === 1) return { mean, label, text: mean.toFixed(2), note: label ?? "" };
  const labels = tries.map((each) => each.label).filter(Boolean);
  const most = labels.sort(
    (a, b) => labels.filter((each) => each === b).length - labels.filter((each) => each === a).length,
  )[0];
  const count = labels.filter((each) => each === most).length;
  return { mean, label: most, text: mean.toFixed(2), note: most ? `${count} of ${tries.length} ${most}` : "" };
};
const row = ({ name, tries }, threshold) => {
  const { mean, label, text, note } = said(tries);
  const length = element("b");
  length.style.width = `${100 * mean}%`;
  const track = element("div", { className: `track ${hue(label)}` }, length);
  if (tries.length > 1)
    for (const each of tries) {
      const dot = element("u");
      dot.style.left = `${100 * each.value}%`;
      track.append(dot);
    }
  if (threshold) {
    const mark = element("i");
    mark.style.left = `${100 * threshold}%`;
    track.append(mark);
  }
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    element("td", {}, track),
    element("td", { className: "number" }, text, " ", element("span", { className: hue(label) }, note)),
  );
};
export const bars = (explanation) => {
  const { trials = [], threshold, label } = explanation;
  const caption = `Probability of ${explanation.spoken ?? spoken(label)} in each trial${threshold ? `; the line is the threshold, ${threshold.toFixed(2)}` : ""}`;
  return element(
    "table",
    { className: "bars" },
    element("caption", {}, caption),
    element("tbody", {}, ...grouped(trials).map((each) => row(each, threshold))),
  );
};

// What is wrong with the recording there.
export const warnings = ({ warnings = [] }) =>
  warnings.length
    ? element(
        "ul",
        { className: "warnings", ariaLabel: "What is wrong with the recording" },
        ...warnings.map((each) => element("li", {}, each)),
      )
    : null;

export const findings = (explanation) =>
  element(
    "ul",
    { className: "findings" },
    ...(explanation.words.sentences ?? []).map((each) =>
      typeof each === "string"
        ? element("li", { className: "neutral" }, each)
        : element("li", { className: each.bearing }, each.text),
    ),
  );

// Players of the excerpt, its region, what is left without it, and the region and its outline in other music; keys
// from 1 on where they are the chosen moment's.
export const sounds = (explanation, { keys = false } = {}) => {
  const group = [];
  const players = Object.entries(SOUNDS)
    .filter(([kind]) => explanation.sounds?.[kind])
    .map(([kind, name], number) =>
      soundButton({
        name,
        url: explanation.sounds[kind],
        key: keys ? String(number + 1) : "",
        startS: keys ? explanation.start_s : null,
        group,
      }),
    );
  return element("div", { className: "sounds", role: "group", ariaLabel: "Sounds of the excerpt" }, ...players);
};
