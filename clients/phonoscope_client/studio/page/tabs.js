// Panels of which one is in view, chosen by tabs.
import { all, one } from "./dom.js";

const tabs = all("[role=tab]");
export const show = (name, { focus = false } = {}) => {
  for (const tab of tabs) {
    const isChosen = tab.dataset.panel === name;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    one(`#${tab.dataset.panel}`).hidden = !isChosen;
    if (isChosen && focus) tab.focus();
    if (isChosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
};
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
for (const [number, tab] of tabs.entries()) {
  tab.addEventListener("click", () => show(tab.dataset.panel));
  tab.addEventListener("keydown", (event) => {
    const to =
      { Home: 0, End: tabs.length - 1 }[event.key] ??
      (event.key in STEPS ? (number + STEPS[event.key] + tabs.length) % tabs.length : null);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    show(tabs[to].dataset.panel, { focus: true });
  });
}
// The next panel, or the one before.
export const stepPanel = (by) => {
  const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  show(tabs[(at + by + tabs.length) % tabs.length].dataset.panel, { focus: true });
};
