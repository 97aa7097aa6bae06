// What the reader does: choosing words, the address, pointers, keys, buttons.

const CLICK_REACH = 22; // pixels
const PAN_STEP = 80;
const ZOOM_STEP = 1.5;

// The address says which word is chosen, so that a link opens there and "back" goes back.
const addressOf = (id) => `#word=${encodeURIComponent(data.words[id])}`;

function wordInAddress() {
  const found = /^#word=(.*)$/u.exec(location.hash);
  if (found === null) return null;
  try {
    return idsByWord.get(decodeURIComponent(found[1])) ?? null;
  } catch {
    return null; // no well-formed address
  }
}

function choose(id, { isFlown = false, isInAddress = true }) {
  const isNew = id !== state.chosen;
  state.chosen = id;
  state.hovered = null;
  state.pointed = null;
  showHint(null);
  showPanel(id);
  if (isInAddress && isNew) history.pushState(null, "", id === null ? location.pathname + location.search : addressOf(id));
  if (id !== null) flyTo(id, isFlown);
  else if (isNew) tell("Nothing is chosen.");
  requestDraw();
}

for (const kind of ["popstate", "hashchange"])
  addEventListener(kind, () => {
    const id = wordInAddress();
    if (id !== state.chosen) choose(id, { isFlown: false, isInAddress: false });
  });

// Pointers: one drags, two pinch, one that hardly moved clicks.
const pointers = new Map();
let moved = 0;

function hover(event) {
  const id = nearestTo(toMapX(event.offsetX), toMapY(event.offsetY), CLICK_REACH / camera.scale);
  canvas.classList.toggle("pointing", id !== null);
  if (id !== state.hovered) {
    state.hovered = id;
    requestDraw();
  }
  showHint(id, event.clientX, event.clientY);
}

function stopHovering() {
  if (state.hovered !== null) requestDraw();
  state.hovered = null;
  canvas.classList.remove("pointing");
  showHint(null);
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (pointers.size === 0) moved = 0;
  pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  flight = null;
});

canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (before === undefined) {
    if (event.pointerType !== "touch") hover(event);
    return;
  }
  const now = { x: event.offsetX, y: event.offsetY };
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  if (moved < 4) return;
  stopHovering();
  canvas.classList.add("dragging");
  const other = [...pointers].find(([pointerId]) => pointerId !== event.pointerId)?.[1];
  pointers.set(event.pointerId, now);
  if (other === undefined) {
    panBy(now.x - before.x, now.y - before.y);
    return;
  }
  const [was, is] = [before, now].map((place) => Math.hypot(place.x - other.x, place.y - other.y));
  panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  if (was > 0) zoomAt(is / was, (now.x + other.x) / 2, (now.y + other.y) / 2);
});

function release(event) {
  const isClick = event.type === "pointerup" && pointers.size === 1 && moved < 4;
  pointers.delete(event.pointerId);
  if (pointers.size === 0) canvas.classList.remove("dragging");
  if (!isClick) return;
  const id = nearestTo(toMapX(event.offsetX), toMapY(event.offsetY), CLICK_REACH / camera.scale);
  if (id !== null || state.chosen !== null) choose(id, {});
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", stopHovering);
canvas.addEventListener("dblclick", (event) => zoomAt(2, event.offsetX, event.offsetY));
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016; // a pinch on a touchpad comes as a wheel with Ctrl
    zoomAt(Math.exp(-event.deltaY * lines * speed), event.offsetX, event.offsetY);
    stopHovering();
  },
  { passive: false },
);

const zoomStep = (factor) => {
  const goal = { x: camera.x, y: camera.y, scale: clampScale(camera.scale * factor) };
  fly(goal);
};
const MAP_KEYS = {
  ArrowLeft: () => panBy(PAN_STEP, 0),
  ArrowRight: () => panBy(-PAN_STEP, 0),
  ArrowUp: () => panBy(0, PAN_STEP),
  ArrowDown: () => panBy(0, -PAN_STEP),
  "+": () => zoomStep(ZOOM_STEP),
  "=": () => zoomStep(ZOOM_STEP),
  "-": () => zoomStep(1 / ZOOM_STEP),
  0: () => fly(wholeCamera()),
  "/": () => searchBox.focus(),
  Escape: () => {
    if (state.chosen !== null) choose(null, {});
    canvas.focus();
  },
};

addEventListener("keydown", (event) => {
  if (event.target === searchBox || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = MAP_KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  colouring.theme = theme;
  readPaint();
  regroup();
  showLegend();
  if (state.chosen !== null) showPanel(state.chosen);
  requestDraw();
}

const onClick = (name, act) => document.getElementById(name).addEventListener("click", act);
onClick("closer", () => zoomStep(ZOOM_STEP));
onClick("farther", () => zoomStep(1 / ZOOM_STEP));
onClick("whole", () => fly(wholeCamera()));
onClick("theme", () => setTheme(colouring.theme === "dark" ? "light" : "dark"));
onClick("close", MAP_KEYS.Escape);
for (const button of document.querySelectorAll("[data-colouring]"))
  button.addEventListener("click", () => {
    colouring.by = button.dataset.colouring;
    colouring.only = null;
    regroup();
    showLegend();
    if (state.chosen !== null) showPanel(state.chosen);
    requestDraw();
  });

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
setTheme(dark.matches ? "dark" : "light");
resize();
Object.assign(camera, wholeCamera());
choose(wordInAddress(), { isInAddress: false });
draw();
new ResizeObserver(resize).observe(canvas);
performance.mark("first-draw");
