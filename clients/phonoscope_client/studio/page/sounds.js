// Players: one sound at a time. A button plays and stops, and shows how far its sound is.
import { element, say } from "./dom.js";
import { StudioError } from "./api.js";
import { complain } from "./errors.js";

let sounding = null;
const followers = [];
const watchers = [];
// Told with whether anything sounds, when that may have changed.
export const whenPlaying = (does) => watchers.push(does);
// Told with (audio, start of it in seconds of the song or null) once a frame while something sounds.
export const whenSounding = (does) => followers.push(does);

export const isSounding = () => Boolean(sounding && !sounding.paused);
export const silence = () => sounding?.pause();
// From now on this one pauses whatever else sounds when it begins.
export const register = (audio, startS = null) => {
  const follow = () => {
    for (const does of followers) does(audio, startS);
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", () => {
    if (sounding !== audio) sounding?.pause();
    sounding = audio;
    follow();
  });
  for (const event of ["play", "pause", "ended"])
    audio.addEventListener(event, () => {
      for (const does of watchers) does(isSounding());
    });
  return audio;
};
// `instead` says whether it does something about a form of sound that the browser does not know.
export const start = (audio, instead = () => false) =>
  audio.play().catch((error) => {
    if (error.name === "NotSupportedError" && instead()) return;
    if (error.name !== "AbortError")
      complain(new StudioError({ message: `This sound cannot be played: ${error.message}` }));
  });

// Of a group, one takes over where another is, so that they can be compared.
export const soundButton = ({ name, url, key = "", startS = null, group = null }) => {
  const audio = register(element("audio", { src: url, preload: "none" }), startS);
  const label = element("span", { className: "name" }, name);
  const shown = element(
    "button",
    { type: "button", className: "sound", "aria-pressed": "false" },
    element("i", { className: "icon", "aria-hidden": "true" }),
    label,
    key && element("kbd", { "aria-hidden": "true" }, key),
    audio,
  );
  if (key) shown.setAttribute("aria-keyshortcuts", key);
  const far = () => shown.style.setProperty("--done", audio.duration ? audio.currentTime / audio.duration : 0);
  for (const event of ["play", "pause", "ended"])
    audio.addEventListener(event, () => {
      shown.setAttribute("aria-pressed", String(!audio.paused));
      far();
    });
  audio.addEventListener("timeupdate", far);
  audio.addEventListener("error", () => {
    shown.disabled = true;
    shown.title = "This sound could not be fetched; ask again for the moment.";
  });
  shown.addEventListener("click", () => {
    if (!audio.paused) return audio.pause();
    const other = group?.find((each) => each !== audio && !each.paused);
    audio.currentTime = other ? other.currentTime : audio.ended ? 0 : audio.currentTime;
    start(audio);
    say(`Playing: ${name}.`);
  });
  group?.push(audio);
  return shown;
};
