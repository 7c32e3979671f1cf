// Music that was answered alike: the examples nearest to the moment, where the service has some.
import { get } from "./api.js";
import { element, one } from "./dom.js";
import { hue } from "./labels.js";
import { state, when } from "./state.js";
import { clock } from "./text.js";
import { afterDrawing } from "./view.js";

const place = one("#nearest");
const known = new WeakMap(); // explanation → its examples
const row = ({ song, start_s, label, distance }) =>
  element(
    "li",
    {},
    element("span", { className: "song-name" }, song),
    ` from ${clock(start_s)}, `,
    element("span", { className: hue(label) }, label),
    element("span", { className: "quiet" }, `, distance ${distance.toFixed(2)}`),
  );
// Asked for once the region is seen; an answer without them is whole, so that nothing is said where there are none.
const show = async () => {
  const { explanation, listener } = state;
  place.replaceChildren();
  if (!explanation || !listener.has?.nearest) return;
  if (!known.has(explanation)) {
    const said = await get(`/api/explanations/${explanation.id}/nearest`).catch(() => ({ nearest: [] }));
    known.set(explanation, said.nearest);
  }
  if (explanation !== state.explanation || !known.get(explanation).length) return;
  place.replaceChildren(
    element("h2", {}, "It answered as it did for these"),
    element("ul", { className: "examples" }, ...known.get(explanation).map(row)),
  );
};
when(["explanation"], () => afterDrawing(show));
