// The play head, what is chosen and what is heard; clicks and keys that move them.
const one = (selector) => document.querySelector(selector);
const head = one("input.head");
const readout = one(".readout");
const recording = one(".players audio");
const regions = one("input[name=regions]");
const panel = one(".chosen");
const clips = [...document.querySelectorAll("audio[data-sound]")];
const LEAST_SPAN_S = 2;
const CLOSE_SPAN_S = 12; // in which a region is seen well
let headS = track.start_s;
let chosen = null;
let sounding = recording;

const redraw = () => draw(chosen, regions.checked);
const labelAt = (seconds) => track.segments.find((each) => seconds >= each.start_s && seconds < each.end_s)?.label ?? "";
const show = (from, span) => {
  const whole = track.end_s - track.start_s;
  const width = Math.min(whole, Math.max(LEAST_SPAN_S, span));
  view.from = Math.min(track.end_s - width, Math.max(track.start_s, from));
  view.to = view.from + width;
  redraw();
  place();
};
const place = () => {
  const share = (headS - view.from) / (view.to - view.from);
  document.documentElement.style.setProperty("--played", Math.min(1, Math.max(0, share)));
  document.documentElement.classList.toggle("played", share >= 0 && share <= 1);
  const probability = (track.probability[Math.max(0, Math.min(track.columns - 1, columnAt(headS)))] ?? 0) / 255;
  const text = `${clock(headS)}, ${labelAt(headS)}, probability of ${track.about} ${probability.toFixed(2)}`;
  readout.textContent = text;
  head.value = headS;
  head.setAttribute("aria-valuetext", text);
};
// Moves the head, and what is in view along with it.
const reach = (seconds) => {
  headS = Math.min(track.end_s, Math.max(track.start_s, seconds));
  const span = view.to - view.from;
  if (headS < view.from || headS > view.to) show(headS - span / 10, span);
  else place();
};
const seek = (seconds) => {
  for (const each of clips) each.pause();
  sounding = recording;
  reach(seconds);
  if (recording) recording.currentTime = headS;
};
const zoom = (factor) => {
  const span = (view.to - view.from) * factor;
  show(headS - span * Math.min(1, Math.max(0, (headS - view.from) / (view.to - view.from))), span);
};

const heardS = () => sounding.currentTime + (sounding === recording ? 0 : chosen.start_s);
const follow = () => {
  if (!sounding || sounding.paused) return;
  reach(heardS());
  requestAnimationFrame(follow);
};
const players = recording ? [recording, ...clips] : clips;
for (const player of players) {
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    sounding = player;
    follow();
  });
  player.addEventListener("seeked", () => player === sounding && reach(heardS()));
  for (const event of ["play", "pause"])
    player.addEventListener(event, () => {
      const plays = players.some((each) => !each.paused);
      one("[data-do=play]").textContent = plays ? "Pause" : "Play";
      one("[data-do=play]").setAttribute("aria-pressed", plays);
    });
}
const toggle = () => {
  const playing = players.find((each) => !each.paused);
  if (playing) playing.pause();
  else if (recording) {
    recording.currentTime = headS;
    recording.play();
  }
};

const choose = (number, { quietly = false } = {}) => {
  if (!track.explanations[number]) return;
  chosen = track.explanations[number];
  for (const each of clips) {
    each.pause();
    each.src = chosen.sounds[each.dataset.sound] ?? "";
  }
  for (const button of document.querySelectorAll("[data-explanation]"))
    button.setAttribute("aria-current", Number(button.dataset.explanation) === number);
  const badge = document.createElement("span");
  badge.className = `badge ${chosen.standing}`;
  badge.textContent = chosen.badge;
  panel.querySelector("h3").replaceChildren(`${clock(chosen.at_s)}: ${chosen.label}, probability of ${chosen.about} ${chosen.probability.toFixed(2)} `, badge);
  panel.querySelector(".headline").textContent = chosen.headline;
  panel.querySelector(".clips").hidden = !("region" in chosen.sounds);
  panel.querySelector(".findings").replaceChildren(
    ...chosen.findings.map(({ bearing, text }) => {
      const finding = document.createElement("li");
      finding.className = bearing;
      finding.textContent = text;
      return finding;
    }),
  );
  if (quietly) return redraw();
  const span = Math.min(view.to - view.from, CLOSE_SPAN_S);
  seek(chosen.at_s);
  show(chosen.at_s - span / 2, span);
};
// From the head on, or from what is chosen while the head is in its excerpt.
const step = (by) => {
  const isNear = chosen && Math.abs(headS - chosen.at_s) <= chosen.seconds / 2;
  const fromS = isNear ? chosen.at_s : headS;
  const moments = track.explanations.map((each) => each.at_s);
  choose(by > 0 ? moments.findIndex((at) => at > fromS) : moments.findLastIndex((at) => at < fromS));
};
const hear = (number) => {
  if (chosen && clips[number]?.src) {
    clips[number].currentTime = 0;
    clips[number].play();
  }
};

for (const area of document.querySelectorAll(".stack .area"))
  area.addEventListener("click", (event) => {
    const box = area.getBoundingClientRect();
    const seconds = view.from + ((event.clientX - box.left) / box.width) * (view.to - view.from);
    const marked = area.contains(canvases.waveform) && event.clientY - box.top < MARKS;
    const near = ((view.to - view.from) * 12) / box.width;
    const number = track.explanations.findIndex((each) => Math.abs(each.at_s - seconds) < near);
    if (marked && number >= 0) choose(number);
    else seek(seconds);
  });
for (const button of document.querySelectorAll("[data-explanation]"))
  button.addEventListener("click", () => choose(Number(button.dataset.explanation)));
for (const button of document.querySelectorAll("[data-seek-s]"))
  button.addEventListener("click", () => {
    seek(Number(button.dataset.seekS));
    recording?.play();
  });
const doings = {
  play: toggle,
  previous: () => step(-1),
  next: () => step(1),
  closer: () => zoom(1 / 2),
  wider: () => zoom(2),
  all: () => show(track.start_s, Infinity),
};
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", doings[button.dataset.do]);

const keys = {
  " ": toggle,
  ArrowLeft: () => seek(headS - 1),
  ArrowRight: () => seek(headS + 1),
  PageUp: () => seek(headS - 10),
  PageDown: () => seek(headS + 10),
  Home: () => seek(track.start_s),
  End: () => seek(track.end_s),
  n: doings.next,
  p: doings.previous,
  1: () => hear(0),
  2: () => hear(1),
  3: () => hear(2),
  "+": doings.closer,
  "=": doings.closer,
  "-": doings.wider,
  0: doings.all,
};
const ownKeys = { BUTTON: [" "], AUDIO: [" ", "ArrowLeft", "ArrowRight", "Home", "End"] }; // what those do with a key is theirs
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isOwn = ownKeys[event.target.tagName]?.includes(key) || (event.target.type === "checkbox" && key === " ");
  if (!(key in keys) || isOwn) return;
  event.preventDefault();
  keys[key]();
});
head.addEventListener("input", () => seek(Number(head.value)));
regions.addEventListener("change", redraw);
window.addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
show(track.start_s, Infinity);
// An address that ends with #t=34.5 opens there, at the explanation of that moment where there is one.
const askedS = Number(/^#t=([0-9.]+)$/.exec(location.hash)?.[1] ?? NaN);
const asked = track.explanations.findIndex((each) => Math.abs(each.at_s - askedS) < each.seconds / 2);
const firstThatHolds = track.explanations.findIndex((each) => each.standing === "holds");
if (asked >= 0) choose(asked);
else choose(Math.max(0, firstThatHolds), { quietly: true });
if (asked < 0 && askedS >= 0) seek(askedS);
