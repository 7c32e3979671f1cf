// What the page knows. Modules read it, change it through `change`, and are told by `when`.
export const state = {
  bundle: null, // what the service serves
  songs: [],
  song: null,
  listener: null, // one of the bundle's
  label: "", // "" for whatever is answered
  contrast: "", // "" for any other
  rule: "",
  alpha: null, // null for the rule's own
  explanation: null, // the one that is drawn
  passage: null, // { start_s, end_s }: what is looped or asked about
  repeats: false,
  pins: [], // [{ number, explanation, song, alpha, note }]
  kept: [], // units that were maximised and kept
};

// What undo brings back; all else is where one stands, not what one did.
export const UNDOABLE = ["label", "contrast", "rule", "alpha", "explanation", "passage", "repeats", "pins", "kept"];
const watchers = [];
const recorders = [];

// Calls `does` after any of the named parts has changed.
export const when = (names, does) => watchers.push({ names, does });
export const beforeEach = (records) => recorders.push(records);

// `deed` says in words what is done, where it can be undone.
export const change = (patch, deed = "") => {
  const names = Object.keys(patch).filter((name) => patch[name] !== state[name]);
  if (!names.length) return;
  if (deed) for (const record of recorders) record(deed);
  Object.assign(state, patch);
  for (const watcher of watchers) if (watcher.names.some((name) => names.includes(name))) watcher.does();
};
