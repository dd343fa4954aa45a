"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)"), printed = matchMedia("print");

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// what follows light and dark in a chart: text, rules and paper; the colours of the data are read on both
function themed(layout) {
  const theme = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    "font.color": ink("--ink"), "font.family": getComputedStyle(document.body).fontFamily, "font.size": 12,
    "hoverlabel.bgcolor": ink("--raised"), "hoverlabel.bordercolor": ink("--rule"), "hoverlabel.font.color": ink("--ink"),
    "hoverlabel.align": "left",
  };
  for (const axis of Object.keys(layout).filter(key => /^[xy]axis/.test(key))) {
    theme[axis + ".gridcolor"] = theme[axis + ".linecolor"] = ink("--rule");
    theme[axis + ".tickfont.color"] = ink("--soft");
  }
  return theme;
}

function put(layout, path, value) {
  const names = path.split("."), last = names.pop();
  names.reduce((inner, name) => inner[name] ??= {}, layout)[last] = value;
}

for (const [name, chart] of Object.entries(data.charts)) {
  Object.entries(themed(chart.layout)).forEach(([path, value]) => put(chart.layout, path, value));
  Plotly.newPlot(name, chart.data, chart.layout, chart.config);
}

const tip = document.createElement("div");
tip.id = "tip";
document.body.append(tip);

// one map: options by epochs, stronger where there is more colour, a dot on the strongest of each epoch
function paint(canvas, map, epochs) {
  const box = canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
  canvas.width = Math.max(1, box.width * scale);
  canvas.height = Math.max(1, box.height * scale);
  const pen = canvas.getContext("2d"), wide = canvas.width / epochs.length, high = canvas.height / map.options.length;
  const heat = ink("--heat"), mark = ink("--mark"), paper = ink("--paper");
  pen.lineWidth = scale;
  epochs.forEach((epoch, column) => {
    const strengths = map.strengths.map(row => row[column]), strongest = strengths.indexOf(Math.max(...strengths));
    strengths.forEach((strength, row) => {
      pen.fillStyle = `rgba(${heat}, ${strength / 1000})`;
      pen.fillRect(column * wide, row * high + scale / 2, Math.ceil(wide), high - scale);
    });
    pen.beginPath();
    pen.arc((column + .5) * wide, (strongest + .5) * high, Math.min(wide * .3, 3.5 * scale), 0, 7);
    pen.fillStyle = mark;
    pen.fill();
    pen.strokeStyle = paper;
    pen.stroke();
  });
}

function say(event, map, told) {
  const box = event.target.getBoundingClientRect();
  const at = (length, from, of) => Math.min(length - 1, Math.max(0, Math.floor(from / of * length)));
  const column = at(told.epochs.length, event.clientX - box.left, box.width);
  const row = at(map.options.length, event.clientY - box.top, box.height);
  const strength = told.smallest + map.strengths[row][column] / 1000 * (told.largest - told.smallest);
  tip.textContent = `epoch ${told.epochs[column]}\n${map.options[row]}: ${strength.toPrecision(3)}`;
  tip.style.display = "block";
  tip.style.left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = event.clientY + 14 + "px";
}

function eachMap(act) {
  for (const place of document.querySelectorAll("[data-gates]")) {
    const told = data.gates[place.dataset.gates];
    place.querySelectorAll("canvas").forEach((canvas, number) => act(canvas, told.maps[number], told));
  }
}

function paintAll() {
  eachMap((canvas, map, told) => paint(canvas, map, told.epochs));
}

eachMap((canvas, map, told) => {
  canvas.addEventListener("pointermove", event => say(event, map, told));
  canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
});
paintAll();

function again() {
  for (const [name, chart] of Object.entries(data.charts)) {
    const place = document.getElementById(name);
    Plotly.relayout(place, themed(chart.layout));
    Plotly.Plots.resize(place);
  }
  paintAll();
}
let waiting = 0;
addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(paintAll, 100); });
dark.addEventListener("change", again);
printed.addEventListener("change", again);
