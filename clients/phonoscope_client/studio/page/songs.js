// The songs of this studio: dropped, added, chosen.
import { get, upload } from "./api.js";
import { all, offer, one, say } from "./dom.js";
import { complain } from "./errors.js";
import { change, state, when } from "./state.js";
import { forget } from "./undo.js";

const select = one("#song");
const files = one("#files");
const taking = one("#taking");

export const choose = (id) => {
  const song = state.songs.find((each) => each.id === id);
  if (!song || song === state.song) return;
  change({ song, explanation: null, passage: null });
  forget();
  say(`${song.name} is open.`);
};

// Says what takes its time: a line that flashes moves the page, and keeps the machine from the song.
const TAKING_MS = 300;
const showTaking = (file) =>
  setTimeout(() => {
    taking.hidden = false;
    one("p", taking).textContent = `Taking in ${file.name} …`;
  }, TAKING_MS);

const takeIn = async (chosen) => {
  let first = null;
  for (const file of chosen) {
    const showing = showTaking(file);
    try {
      const song = await upload(`/api/songs?name=${encodeURIComponent(file.name)}`, file);
      change({ songs: [...state.songs.filter((each) => each.id !== song.id), song] });
      if (!first) choose(song.id);
      first = song;
    } catch (error) {
      complain(Object.assign(error, { field: file.name }));
    } finally {
      clearTimeout(showing);
      taking.hidden = true;
    }
  }
};

export const openSongs = async () => change({ songs: await get("/api/songs") });

const show = () => {
  offer(
    select,
    state.songs.map(({ id, name }) => ({ value: id, text: name })),
    state.song?.id ?? "",
  );
  one("#title").textContent = state.song?.name ?? "Drop a song";
  document.title = state.song ? `${state.song.name} – Phonoscope studio` : "Phonoscope studio";
  document.body.classList.toggle("empty", !state.song);
};
when(["songs", "song"], show);
select.addEventListener("change", () => choose(select.value));
files.addEventListener("change", () => {
  takeIn([...files.files]);
  files.value = "";
});
for (const control of all("[data-do=add]")) control.addEventListener("click", () => files.click());

// A file may be dropped anywhere on the page.
let depth = 0;
const over = (by) => {
  depth = Math.max(0, depth + by);
  document.body.classList.toggle("dropping", depth > 0);
};
document.addEventListener("dragenter", () => over(1));
document.addEventListener("dragleave", () => over(-1));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  over(-depth);
  takeIn([...event.dataTransfer.files]);
});
