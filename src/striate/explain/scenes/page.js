"use strict";

const content = JSON.parse(document.getElementById("content").textContent);
const NAMESPACE = "http://www.w3.org/2000/svg";
const last = content.steps.length - 1;
const PLAY_MS = Math.min(1200, Math.max(120, 24000 / (last + 1)));

function element(name, attributes, text) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(key, value);
  }
  if (text !== undefined) made.textContent = text;
  return made;
}

const MAKE = {
  box([x, y, width, height, fill, edge, line, dashed]) {
    return element("rect", {
      x, y, width, height,
      fill: fill || "none",
      stroke: edge,
      "stroke-width": line,
      "stroke-dasharray": dashed ? `${3 * line} ${2 * line}` : null,
    });
  },
  words([x, y, text, size, align, bold, fill]) {
    return element("text", {
      x, y, fill,
      "font-size": size,
      "text-anchor": align,
      "font-weight": bold ? "bold" : null,
    }, text);
  },
  arrow([x1, y1, x2, y2, colour, line]) {
    const group = element("g", {});
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
    const [bx, by] = [x2 - 7 * ux, y2 - 7 * uy];
    group.append(
      element("line", { x1, y1, x2: bx, y2: by, stroke: colour, "stroke-width": line }),
      element("polygon", {
        points: `${x2},${y2} ${bx - 3 * uy},${by + 3 * ux} ${bx + 3 * uy},${by - 3 * ux}`,
        fill: colour,
      }),
    );
    return group;
  },
  curve([points, stroke, line]) {
    return element("polyline", {
      points: points.map((point) => point.join(",")).join(" "),
      fill: "none",
      stroke,
      "stroke-width": line,
    });
  },
  raster([x, y, width, height, href]) {
    return element("image", { x, y, width, height, href });
  },
};

const make = ([kind, ...numbers]) => MAKE[kind](numbers);

const picture = element("svg", {
  viewBox: `0 0 ${content.width} ${content.height}`,
  role: "img",
  "font-family": "Helvetica, Arial, 'Liberation Sans', sans-serif",
});
const described = element("title", {});
picture.append(described);
let drawn = [];
let step = 0;

function begin() {
  for (const old of drawn) old.remove();
  drawn = content.shapes.map(make);
  picture.append(...drawn);
  step = 0;
}

// Each step holds what differs from the one before: going back begins anew, and draws a shape once.
function show(wanted) {
  const target = Math.min(last, Math.max(0, wanted));
  if (target < step) begin();
  const changes = new Map();
  for (let n = step + 1; n <= target; n += 1) {
    for (const [number, shape] of content.steps[n].changes) changes.set(number, shape);
  }
  for (const [number, shape] of changes) {
    const made = make(shape);
    drawn[number].replaceWith(made);
    drawn[number] = made;
  }
  step = target;
  const caption = content.steps[step].caption;
  described.textContent = caption;
  document.getElementById("caption").textContent = caption;
  document.getElementById("place").textContent = `${step + 1} / ${last + 1}`;
  slider.value = step;
  back.disabled = step === 0;
  next.disabled = step === last;
}

const [back, play, next, slider] = ["back", "play", "next", "slider"].map((name) =>
  document.getElementById(name));
let timer = null;

function pause() {
  clearInterval(timer);
  timer = null;
  play.textContent = "play";
  play.setAttribute("aria-pressed", "false");
}

function toggle() {
  if (timer !== null) {
    pause();
    return;
  }
  if (step === last) show(0);
  play.textContent = "pause";
  play.setAttribute("aria-pressed", "true");
  timer = setInterval(() => {
    if (step === last) pause();
    else show(step + 1);
  }, PLAY_MS);
}

function go(wanted) {
  pause();
  show(wanted);
}

back.addEventListener("click", () => go(step - 1));
next.addEventListener("click", () => go(step + 1));
play.addEventListener("click", toggle);
slider.addEventListener("input", () => go(Number(slider.value)));
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const actions = {
    ArrowRight: () => go(step + 1),
    ArrowLeft: () => go(step - 1),
    Home: () => go(0),
    End: () => go(last),
    " ": toggle,
  };
  if (!(event.key in actions)) return;
  // A focused button would answer to the space bar, too, and the slider to the arrows.
  event.preventDefault();
  actions[event.key]();
});
addEventListener("hashchange", () => go((parseInt(location.hash.slice(1), 10) || 1) - 1));

document.getElementById("picture").append(picture);
slider.max = last;
begin();
show((parseInt(location.hash.slice(1), 10) || 1) - 1);
