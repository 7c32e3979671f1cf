// The part of the track that is in view, drawn on three canvases one below the other.
const canvases = Object.fromEntries([...document.querySelectorAll("canvas[data-draws]")].map((each) => [each.dataset.draws, each]));
const view = { from: track.start_s, to: track.end_s };
const ratio = () => window.devicePixelRatio || 1;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
// The two labels of the detector have colours of the page's own; others, hues that are far apart.
const tone = (label) => colour(label) || (track.labels.includes(label) ? `hsl(${track.labels.indexOf(label) * 137} 45% 55%)` : colour("quiet"));
const MARKS = 18; // height of the row of marks above the waveform, in CSS pixels
const loudest = track.waveform.reduce((most, each) => Math.max(most, Math.abs(each)), 1);

const canvas = (name) => {
  const element = canvases[name];
  const box = element.getBoundingClientRect();
  element.width = Math.max(1, Math.round(box.width * ratio()));
  element.height = Math.max(1, Math.round(box.height * ratio()));
  const context = element.getContext("2d");
  const x = (seconds) => ((seconds - view.from) / (view.to - view.from)) * element.width;
  return { context, x, width: element.width, height: element.height };
};
// The columns that each pixel of a width stands for: first, and past the last.
const columnsOf = (pixel, width) => {
  const second = (at) => view.from + (at / width) * (view.to - view.from);
  const first = Math.max(0, columnAt(second(pixel)));
  return [first, Math.min(track.columns, Math.max(first + 1, columnAt(second(pixel + 1))))];
};

const drawMark = (context, standing, x, size) => {
  const y = (MARKS / 2) * ratio();
  context.beginPath();
  if (standing === "doubtful") {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y + size);
    context.lineTo(x - size, y + size);
    context.closePath();
  } else context.arc(x, y, standing === "untried" ? size / 2 : size, 0, 2 * Math.PI);
  context.lineWidth = 1.6 * ratio();
  context.strokeStyle = context.fillStyle = colour(standing);
  if (standing === "fails") context.stroke();
  else context.fill();
};
const drawWaveform = (chosen) => {
  const { context, x, width, height } = canvas("waveform");
  const top = MARKS * ratio();
  const middle = top + (height - top) / 2;
  const scale = (height - top) / 2 / loudest;
  context.fillStyle = colour("quiet");
  for (let pixel = 0; pixel < width && track.waveform.length; pixel++) {
    const [first, end] = columnsOf(pixel, width);
    let low = 0;
    let high = 0;
    for (let column = first; column < end; column++) {
      low = Math.min(low, track.waveform[2 * column]);
      high = Math.max(high, track.waveform[2 * column + 1]);
    }
    context.fillRect(pixel, middle - high * scale, 1, Math.max(1, (high - low) * scale));
  }
  for (const each of track.explanations) {
    const at = x(each.at_s);
    if (at < 0 || at > width) continue;
    if (each === chosen) {
      context.fillStyle = colour("ink");
      context.fillRect(at - ratio() / 2, top, ratio(), height);
    }
    drawMark(context, each.standing, at, (each === chosen ? 6.5 : 4.5) * ratio());
  }
};

const drawLevels = (context, width, height) => {
  const picture = new ImageData(width, track.bands);
  for (let pixel = 0; pixel < width; pixel++) {
    const [first, end] = columnsOf(pixel, width);
    for (let band = 0; band < track.bands && first < end; band++) {
      let level = 0;
      for (let column = first; column < end; column++) level = Math.max(level, track.levels[column * track.bands + band]);
      const place = 4 * ((track.bands - 1 - band) * width + pixel);
      picture.data.set(track.colours.subarray(3 * level, 3 * level + 3), place);
      picture.data[place + 3] = 255;
    }
  }
  const small = new OffscreenCanvas(width, track.bands);
  small.getContext("2d").putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, width, height);
};
const drawRegion = (context, each, x, height, isChosen) => {
  const left = x(each.start_s);
  const right = x(each.start_s + each.seconds);
  if (right < 0 || left > context.canvas.width) return;
  const { tint, veil, edge, colour } = region(each);
  const isOutlined = each.compact && right - left > 40 * ratio();
  if (isChosen) context.drawImage(veil, left, 0, right - left, height);
  else if (!isOutlined) context.drawImage(tint, left, 0, right - left, height);
  if (!isOutlined) return;
  const placed = new Path2D();
  placed.addPath(edge, new DOMMatrix([(right - left) / each.frames, 0, 0, height / track.bands, left, 0]));
  context.setLineDash(each.standing === "holds" ? [] : [5 * ratio(), 3 * ratio()]);
  for (const [style, line] of [["rgb(0 0 0 / .75)", 2.6], [colour, isChosen ? 1.5 : 1.1]]) {
    context.strokeStyle = style;
    context.lineWidth = line * ratio();
    context.stroke(placed);
  }
  context.setLineDash([]);
};
const drawSpectrogram = (chosen, showsRegions) => {
  const { context, x, width, height } = canvas("spectrogram");
  if (track.levels.length) drawLevels(context, width, height);
  if (!showsRegions) return;
  for (const each of track.explanations) if (each !== chosen) drawRegion(context, each, x, height, false);
  if (chosen) drawRegion(context, chosen, x, height, true);
};

const drawCurve = () => {
  const { context, x, width, height } = canvas("curve");
  const base = 0.9 * height; // below it, the strip of segments
  for (const each of track.segments) {
    const [left, right] = [x(each.start_s), x(each.end_s)].map((at) => Math.min(width, Math.max(0, at)));
    context.fillStyle = tone(each.label);
    context.fillRect(left, base + 2 * ratio(), Math.max(0, right - left), height - base);
  }
  context.fillStyle = context.strokeStyle = colour("vocal");
  context.lineWidth = 1.4 * ratio();
  context.beginPath();
  for (let pixel = 0; pixel < width; pixel++) {
    const [first, end] = columnsOf(pixel, width);
    let sum = 0;
    let [low, high] = [255, 0];
    for (let column = first; column < end; column++) {
      const value = track.probability[column];
      sum += value;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (first >= end) continue;
    context.globalAlpha = 0.25;
    context.fillRect(pixel, base * (1 - high / 255), 1, (base * (high - low)) / 255);
    context.globalAlpha = 1;
    context.lineTo(pixel, base * (1 - sum / (end - first) / 255));
  }
  context.stroke();
  if (!track.threshold) return;
  context.strokeStyle = colour("ink");
  context.setLineDash([5 * ratio(), 4 * ratio()]);
  context.beginPath();
  context.moveTo(0, base * (1 - track.threshold));
  context.lineTo(width, base * (1 - track.threshold));
  context.stroke();
};

const drawTicks = () => {
  const row = document.querySelector(".stack .plot:last-of-type .columns");
  const most = Math.max(2, row.clientWidth / 90);
  const span = view.to - view.from;
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
  const step = steps.find((each) => span / each <= most) ?? 28800;
  row.replaceChildren();
  for (let at = Math.ceil(view.from / step) * step; at <= view.to + 1e-9; at += step) {
    const tick = document.createElement("span");
    tick.textContent = clock(at, step < 1 ? 1 : 0);
    tick.style.left = `${(100 * (at - view.from)) / span}%`;
    row.append(tick);
  }
};
const draw = (chosen, showsRegions) => {
  drawWaveform(chosen);
  drawSpectrogram(chosen, showsRegions);
  drawCurve();
  drawTicks();
};
