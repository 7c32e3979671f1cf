// Colours: magma for levels, and the page's own as the theme has them.
const STOPS =
  "000004 090720 1a1042 311165 4a1079 621980 792282 912b81 aa337d c23b75 d9466b ec5860 f7725c fc8e64 feaa74 fec68a fde2a3 fcfdbf"
    .split(" ")
    .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

// 256 colours as ImageData wants them on a little-endian machine: 0xaabbggrr.
export const MAGMA = Uint32Array.from({ length: 256 }, (_, level) => {
  const at = (level / 255) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(at));
  const [red, green, blue] = [0, 1, 2].map((part) =>
    Math.round(STOPS[low][part] + (at - low) * (STOPS[low + 1][part] - STOPS[low][part])),
  );
  return (255 << 24) | (blue << 16) | (green << 8) | red;
});

const probe = document.createElement("i");
probe.hidden = true;
document.documentElement.append(probe);
const known = new Map();
// A colour of the style sheet by its name, as a canvas understands it.
export const colour = (name) => {
  if (!known.has(name)) {
    probe.style.color = `var(--${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  return known.get(name);
};

const repaints = [];
export const whenThemeChanges = (does) => repaints.push(does);
export const themeChanged = () => {
  known.clear();
  for (const repaint of repaints) repaint();
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
