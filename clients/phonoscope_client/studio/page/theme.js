// Light or dark: as the machine says, or as chosen here.
import { one, say } from "./dom.js";
import { themeChanged } from "./colours.js";

const THEMES = ["auto", "light", "dark"];
const control = one("[data-do=theme]");

const kept = () => {
  try {
    return localStorage.getItem("theme") ?? "auto";
  } catch {
    return "auto"; // a browser that keeps nothing
  }
};
const show = (theme) => {
  document.documentElement.dataset.theme = theme;
  control.textContent = `Theme: ${theme}`;
  themeChanged();
};
export const nextTheme = () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
  show(theme);
  say(`Theme: ${theme}.`);
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // then it lasts as long as the page
  }
};
show(THEMES.includes(kept()) ? kept() : "auto");
