// What goes wrong, in words; and a service that is busy or gone, which is waited for.
import { button, element, one } from "./dom.js";

const messages = one("#messages");
const wait = one("#waiting");

const key = ({ message, field }) => `${field ?? ""}\u0000${message}`;

// A message stays until it is closed; the same one is not shown twice.
export const complain = (error) => {
  if (error.name === "AbortError") return;
  const same = [...messages.children].find((each) => each.dataset.key === key(error));
  same?.remove();
  const box = element("div", { className: "message", role: "alert" });
  box.dataset.key = key(error);
  box.append(
    element("p", {}, error.field ? element("strong", {}, `${error.field}: `) : null, error.message),
    button("Close", () => box.remove(), { className: "plain", "aria-label": "Close this message" }),
  );
  messages.append(box);
  while (messages.children.length > 3) messages.firstChild.remove();
};

let waiting = 0;
const hide = () => {
  waiting -= 1;
  if (!waiting) wait.hidden = true;
};
// Counts down in view, and ends early by a press of its button or by the signal.
export const waitFor = (message, seconds, signal) =>
  new Promise((resolve, reject) => {
    const until = performance.now() + seconds * 1000;
    waiting += 1;
    wait.hidden = false;
    one("p", wait).textContent = message;
    const count = () => {
      const left = Math.max(0, (until - performance.now()) / 1000);
      one(".count", wait).textContent = `Asking again in ${Math.ceil(left)} s.`;
    };
    const end = (settle) => {
      clearInterval(counting);
      clearTimeout(timer);
      signal?.removeEventListener("abort", give);
      one("button", wait).removeEventListener("click", now);
      hide();
      settle();
    };
    const now = () => end(resolve);
    const give = () => end(() => reject(signal.reason));
    const counting = setInterval(count, 250);
    const timer = setTimeout(now, seconds * 1000);
    signal?.addEventListener("abort", give);
    one("button", wait).addEventListener("click", now);
    count();
  });
