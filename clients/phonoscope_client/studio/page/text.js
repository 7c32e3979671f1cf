// Numbers as people read them.
export const clock = (seconds, decimals = 1) => {
  const scale = 10 ** decimals;
  const units = Math.max(0, Math.round(seconds * scale));
  const rest = (units % (60 * scale)) / scale;
  return `${Math.floor(units / (60 * scale))}:${rest.toFixed(decimals).padStart(decimals ? 3 + decimals : 2, "0")}`;
};

export const percent = (share) => {
  if (share > 0 && share < 0.01) return "under 1 %";
  if (share > 0.99 && share < 1) return "over 99 %";
  return `${Math.round(100 * share)} %`;
};

export const hertz = (frequency) => (frequency >= 1000 ? `${frequency / 1000} kHz` : `${frequency} Hz`);
