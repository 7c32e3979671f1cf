// What was found, as one file to pass on, and links to moments.
import { post } from "./api.js";
import { element, one, say } from "./dom.js";
import { complain } from "./errors.js";
import { momentLink } from "./link.js";
import { state, when } from "./state.js";

const [title, notes] = [one("#story-title"), one("#story-notes")];
const saved = one("#saved");

const story = () => ({
  title: title.value.trim() || state.song?.name || "A story",
  notes: notes.value,
  pins: state.pins.map(({ explanation, note }) => ({ id: explanation.id, note, alpha: explanation.alpha })),
  kept: state.kept.map(({ picture, ...unit }) => unit), // the studio has their pictures
});
const save = async () => {
  saved.textContent = "Saving …";
  try {
    const { id } = await post("/api/story", story());
    const link = (kind, text) =>
      element("a", { href: `/api/story/${encodeURIComponent(id)}.${kind}`, download: "", className: "button" }, text);
    saved.replaceChildren("The story is ready: ", link("html", "one page (HTML)"), " ", link("json", "data (JSON)"));
    say("The story is ready to be downloaded.");
  } catch (error) {
    saved.textContent = "";
    complain(error);
  }
};
export const saveStory = save;
export const copyLink = async () => {
  const link = momentLink();
  const shown = one("#link");
  shown.hidden = false;
  shown.value = link;
  try {
    await navigator.clipboard.writeText(link);
    say("The link is on the clipboard.");
  } catch {
    shown.select(); // where a page may not write to the clipboard, keys can copy it
    say("The link is selected: copy it.");
  }
};
one("[data-do=save]").addEventListener("click", save);
one("[data-do=link]").addEventListener("click", copyLink);
when(["pins", "kept"], () => {
  const [pins, kept] = [state.pins.length, state.kept.length];
  const units = kept ? ` and ${kept} kept unit${kept === 1 ? "" : "s"}` : "";
  one("#story-holds").textContent =
    pins || kept
      ? `It will hold ${pins} pinned moment${pins === 1 ? "" : "s"}${units}.`
      : "Pin moments first; the story holds those, with their pictures and sounds.";
});
