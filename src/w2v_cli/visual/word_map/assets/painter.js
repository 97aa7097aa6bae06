// Paints points, lines and labels. Labels go to the most frequent words first, and where there is room.

const context = canvas.getContext("2d");
const state = { chosen: null, hovered: null, pointed: null };
const MOST_LABELS = 320;
const LABEL_CELL = 64;
const widths = new Float32Array(data.size);
let paint = {};
let isDrawAsked = false;

function readPaint() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(name).trim();
  paint = { paper: value("--paper"), ink: value("--ink"), quiet: value("--quiet"), accent: value("--accent"), sans: value("--sans") };
}

function requestDraw() {
  if (isDrawAsked) return;
  isDrawAsked = true;
  requestAnimationFrame((now) => {
    isDrawAsked = false;
    advanceFlight(now);
    draw();
    if (flight !== null) requestDraw();
  });
}

function resize() {
  [camera.width, camera.height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(camera.width * ratio);
  canvas.height = Math.round(camera.height * ratio);
  camera.least = wholeCamera().scale;
  draw(); // at once: a canvas of a new size is empty
}

const closeness = () => Math.max(0, Math.log2(camera.scale / camera.least)); // how often zoomed in by two

function radiusOf(id, zoom) {
  return (1.3 + 1.9 * commonness(id)) * Math.min(2.4, 1 + 0.22 * zoom);
}

function draw() {
  const ratio = devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const focus = state.hovered ?? state.chosen;
  drawPoints(focus !== null);
  const marked = focus === null ? [] : [focus, ...neighboursOf(focus).map((neighbour) => neighbour.id)];
  if (focus !== null) drawStar(focus);
  if (state.chosen !== null && state.chosen !== focus) ring(state.chosen);
  if (state.pointed !== null) ring(state.pointed);
  drawLabels(marked);
}

function drawPoints(isDimmed) {
  const zoom = closeness();
  const isOut = (group) => colouring.only !== null && colouring.only !== group;
  paintPoints(
    paint.paper,
    (group) => (isOut(group) ? 0.08 : isDimmed ? 0.4 : 0.8),
    (id) => radiusOf(id, zoom),
  );
}

// Lines from a word to its neighbours, the nearer the stronger.
function drawStar(id) {
  const [left, top] = [toScreenX(data.x[id]), toScreenY(data.y[id])];
  const zoom = closeness();
  context.strokeStyle = paint.accent;
  for (const { id: other, cosine } of neighboursOf(id).reverse()) {
    context.globalAlpha = 0.25 + 0.6 * Math.max(0, cosine);
    context.lineWidth = 1 + 1.2 * Math.max(0, cosine);
    context.beginPath();
    context.moveTo(left, top);
    context.lineTo(toScreenX(data.x[other]), toScreenY(data.y[other]));
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const { id: other } of neighboursOf(id)) dot(other, radiusOf(other, zoom) + 1);
  dot(id, radiusOf(id, zoom) + 2.5);
  ring(id);
}

function dot(id, radius) {
  context.fillStyle = colourOf(id);
  context.strokeStyle = paint.paper;
  context.lineWidth = 1.5;
  context.beginPath();
  addShape(context, colouring.groups[colouring.groupOf[id]].shape, toScreenX(data.x[id]), toScreenY(data.y[id]), radius);
  context.fill();
  context.stroke();
}

function ring(id) {
  context.strokeStyle = paint.accent;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(toScreenX(data.x[id]), toScreenY(data.y[id]), radiusOf(id, closeness()) + 5.5, 0, 2 * Math.PI);
  context.stroke();
}

const LABEL_SIZE = 12;
const labelSize = (id) => LABEL_SIZE + Math.round(2 * commonness(id));

function labelWidth(id, size) {
  if (widths[id] === 0) {
    context.font = `${LABEL_SIZE}px ${paint.sans}`;
    widths[id] = context.measureText(data.words[id]).width;
  }
  return (widths[id] * size) / LABEL_SIZE;
}

// Boxes that are taken, in cells of the screen.
class Room {
  constructor() {
    this.cells = new Map();
  }

  // Take the box where nothing lies in it; return whether it was free.
  take(left, top, right, bottom) {
    const keys = [];
    for (let row = Math.floor(top / LABEL_CELL); row <= bottom / LABEL_CELL; row += 1) {
      for (let column = Math.floor(left / LABEL_CELL); column <= right / LABEL_CELL; column += 1) {
        const key = row * 4096 + column;
        const taken = this.cells.get(key) ?? [];
        for (let edge = 0; edge < taken.length; edge += 4)
          if (left < taken[edge + 2] && taken[edge] < right && top < taken[edge + 3] && taken[edge + 1] < bottom) return false;
        keys.push(key);
      }
    }
    for (const key of keys) {
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(left, top, right, bottom);
    }
    return true;
  }
}

// Labels keep off what lies on the map.
function roomBeside(selectors) {
  const room = new Room();
  for (const cover of document.querySelectorAll(selectors)) {
    const { left, top, right, bottom } = cover.getBoundingClientRect();
    if (right > left) room.take(left, top, right, bottom);
  }
  return room;
}

function drawLabels(marked) {
  const room = roomBeside("h1, #facts, #finder, #legend, #buttons, #panel");
  const zoom = closeness();
  marked.forEach((id, place) => label(id, room, zoom, place === 0 ? 16 : 13.5, place === 0, marked.length));
  if (marked.length) return;
  let shown = 0;
  for (let id = 0; id < data.size && shown < MOST_LABELS; id += 1) {
    if (colouring.only !== null && colouring.groupOf[id] !== colouring.only) continue;
    if (label(id, room, zoom, labelSize(id), false, 0)) shown += 1;
  }
}

// Write a word beside its point, on the side that has room; return whether one had.
function label(id, room, zoom, size, isChief, isMarked) {
  const [left, top] = [toScreenX(data.x[id]), toScreenY(data.y[id])];
  if (left < -20 || top < -20 || left > camera.width + 20 || top > camera.height + 20) return false;
  const width = labelWidth(id, size) * (isChief ? 1.06 : 1);
  const away = radiusOf(id, zoom) + (isMarked ? 5 : 3) + (isChief ? 4 : 0);
  const half = size * 0.62;
  const gap = isMarked ? 1 : 5;
  const isAtEdge = left + away + width > camera.width;
  const places = [[left + away, top], [left - away - width, top], [left - width / 2, top - away - half], [left - width / 2, top + away + half]];
  for (const [from, middle] of isMarked ? places : [places[isAtEdge ? 1 : 0]]) {
    if (isMarked && (from < 0 || from + width > camera.width)) continue;
    if (!room.take(from - gap, middle - half - gap / 2, from + width + gap, middle + half + gap / 2)) continue;
    write(id, from, middle, size, isChief);
    return true;
  }
  return false;
}

function write(id, left, middle, size, isChief) {
  context.font = `${isChief ? "600 " : ""}${size}px ${paint.sans}`;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = paint.paper;
  context.strokeText(data.words[id], left, middle);
  context.fillStyle = paint.ink;
  context.fillText(data.words[id], left, middle);
}
