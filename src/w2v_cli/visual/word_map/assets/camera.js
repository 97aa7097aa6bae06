// What part of the map is seen: a place in the middle, a scale in pixels a unit, and the size of the canvas in pixels of the
// page (kept, because to ask the browser for it is slow).

const canvas = document.getElementById("map");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const camera = { x: 0, y: 0, scale: 1, least: 1, width: 1, height: 1 };
const FLIGHT_MS = 450;
const MOST_ZOOM = 400;
let flight = null;

const toScreenX = (x) => (x - camera.x) * camera.scale + camera.width / 2;
const toScreenY = (y) => (y - camera.y) * camera.scale + camera.height / 2;
const toMapX = (left) => (left - camera.width / 2) / camera.scale + camera.x;
const toMapY = (top) => (top - camera.height / 2) / camera.scale + camera.y;

// The part of the window that nothing covers, in pixels from its edges.
function insets() {
  const narrow = innerWidth <= 720;
  const panel = document.getElementById("panel");
  const shown = !panel.hidden;
  const legend = document.getElementById("legend");
  if (narrow) return { left: 20, right: 64, top: 120, bottom: (shown ? panel : legend).offsetHeight + 24 };
  return { left: innerWidth > 1000 ? legend.offsetWidth + 44 : 40, right: shown ? 400 : 70, top: 96, bottom: 50 };
}

const clampScale = (scale) => Math.min(camera.least * MOST_ZOOM, Math.max(camera.least * 0.5, scale));

// The camera that shows a box of the map in the free part of the window.
function cameraFor(left, top, right, bottom, mostScale) {
  const free = insets();
  const width = Math.max(80, camera.width - free.left - free.right);
  const height = Math.max(80, camera.height - free.top - free.bottom);
  const scale = Math.min(mostScale, width / Math.max(right - left, 1e-6), height / Math.max(bottom - top, 1e-6));
  return {
    scale,
    x: (left + right) / 2 - (free.left - free.right) / 2 / scale,
    y: (top + bottom) / 2 - (free.top - free.bottom) / 2 / scale,
  };
}

// All but the outermost words: a few that lie far out would make the rest a dot.
function wholeCamera() {
  const edge = (values, share) => values[Math.round(share * (values.length - 1))];
  const xs = Float32Array.from(data.x).sort();
  const ys = Float32Array.from(data.y).sort();
  return cameraFor(edge(xs, 0.0005), edge(ys, 0.0005), edge(xs, 0.9995), edge(ys, 0.9995), 1e5);
}

function fly(goal) {
  const start = { x: camera.x, y: camera.y, scale: camera.scale };
  if (calm.matches) {
    Object.assign(camera, goal);
    flight = null;
  } else {
    flight = { start, goal, begun: performance.now() };
  }
  requestDraw();
}

// Move the camera on its flight; the scale grows evenly for the eye.
function advanceFlight(now) {
  if (flight === null) return;
  const share = Math.min(1, (now - flight.begun) / FLIGHT_MS);
  const eased = 1 - (1 - share) ** 3;
  const { start, goal } = flight;
  camera.scale = start.scale * (goal.scale / start.scale) ** eased;
  const moved = goal.scale === start.scale ? eased : (1 / start.scale - 1 / camera.scale) / (1 / start.scale - 1 / goal.scale);
  camera.x = start.x + (goal.x - start.x) * moved;
  camera.y = start.y + (goal.y - start.y) * moved;
  if (share === 1) flight = null;
}

function zoomAt(factor, left, top) {
  flight = null;
  const [x, y] = [toMapX(left), toMapY(top)];
  camera.scale = clampScale(camera.scale * factor);
  camera.x = x - (left - camera.width / 2) / camera.scale;
  camera.y = y - (top - camera.height / 2) / camera.scale;
  requestDraw();
}

function panBy(right, down) {
  flight = null;
  camera.x -= right / camera.scale;
  camera.y -= down / camera.scale;
  requestDraw();
}

// Fly so that a word and its neighbours are seen; stay where they are already.
function flyTo(id, isAsked) {
  const ids = [id, ...neighboursOf(id).map((neighbour) => neighbour.id)];
  const free = insets();
  const isSeen = (other) => {
    const [left, top] = [toScreenX(data.x[other]), toScreenY(data.y[other])];
    return left > free.left && left < camera.width - free.right && top > free.top && top < camera.height - free.bottom;
  };
  if (!isAsked && isSeen(id)) return;
  const [xs, ys] = [ids.map((other) => data.x[other]), ids.map((other) => data.y[other])];
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  fly(cameraFor(...box, camera.least * 12));
}
