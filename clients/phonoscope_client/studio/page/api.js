// Questions to the studio's server. One that is busy or gone is asked again, ever more rarely.
import { waitFor } from "./errors.js";

const LONGEST_WAIT_S = 15;
const GONE = "The studio does not answer. Is it still running? Start it again with the same command if it has ended.";

export class StudioError extends Error {
  constructor({ message, field = "", retry_after_s = null }, status = 0) {
    super(message);
    this.field = field;
    this.retryAfterS = retry_after_s;
    this.status = status;
  }
}

const told = async (response) => {
  const said = await response.json().catch(() => ({}));
  const message = said.error?.message ?? `The studio answers ${response.status} ${response.statusText}.`;
  return new StudioError({ ...said.error, message }, response.status);
};
const pause = (error, attempt, signal) => {
  const backOff = Math.min(LONGEST_WAIT_S, 0.5 * 2 ** attempt) * (0.75 + Math.random() / 2);
  return waitFor(error.message, Math.max(error.retryAfterS ?? 0, backOff), signal);
};
const isBusy = (error) => error.status === 503 || error.status === 429;

// Asks until there is an answer: what `once` returns, which may read the answer itself.
const persist = async (once, signal) => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const isGone = error instanceof TypeError; // as fetch and the readers of its answers say it
      if (!isGone && !isBusy(error)) throw error;
      await pause(isGone ? new StudioError({ message: GONE }) : error, attempt, signal);
    }
  }
};
const answer = async (path, options) => {
  const response = await fetch(path, options);
  if (!response.ok) throw await told(response);
  return response;
};
const posted = (body) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const get = (path, signal) => persist(async () => (await answer(path, { signal })).json(), signal);
export const post = (path, body, signal) =>
  persist(async () => (await answer(path, { ...posted(body), signal })).json(), signal);
export const upload = (path, file, signal) =>
  persist(async () => (await answer(path, { method: "POST", body: file, signal })).json(), signal);
// Once, for whoever decides alone when to ask again.
export const bytes = async (path, signal) => new Uint8Array(await (await answer(path, { signal })).arrayBuffer());

// Each line of an answer as it arrives. An answer that breaks off is asked for anew, after `restart` was called.
export const stream = (path, { body, signal, each, restart = () => {} }) =>
  persist(async () => {
    restart();
    const response = await answer(path, body ? { ...posted(body), signal } : { signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : lines.pop();
      for (const line of lines) if (line) heed(JSON.parse(line), each);
      if (done) return;
    }
  }, signal);
const heed = (part, each) => {
  if (part.kind !== "error") return each(part);
  throw new StudioError(part.error ?? part, (part.error ?? part).retry_after_s ? 503 : 400);
};
