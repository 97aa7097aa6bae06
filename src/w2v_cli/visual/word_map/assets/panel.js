// The chosen word and its neighbours as a list, the legend, and what is told to those who listen.

const panel = document.getElementById("panel");
const hint = document.getElementById("hint");
const number = (value) => value.toLocaleString("en");
const tell = (text) => (document.getElementById("told").textContent = text);

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text; // never markup: a word may be any text
  return made;
}

function rankText(id) {
  const rank = `${number(id + 1)} of ${number(data.size)} by frequency`;
  if (data.counts === null) return `No. ${rank}`;
  return `${number(data.counts[id])} ${data.counts[id] === 1 ? "occurrence" : "occurrences"} · no. ${rank}`;
}

function showPanel(id) {
  document.body.classList.toggle("chosen", id !== null);
  panel.hidden = id === null;
  if (id === null) return;
  const word = document.getElementById("word");
  word.replaceChildren(element("bdi", "", data.words[id]));
  document.getElementById("rank").textContent = rankText(id);
  const near = neighboursOf(id);
  document.getElementById("neighbours").replaceChildren(...near.map(neighbourItem));
  panel.scrollTop = 0;
  tell(`${data.words[id]}. Nearest: ${near.map((one) => data.words[one.id]).join(", ") || "none"}.`);
}

function neighbourItem({ id, cosine }) {
  const item = element("li");
  const button = element("button");
  button.type = "button";
  const dotMark = element("span", "dot");
  dotMark.style.background = colourOf(id);
  const bar = element("span", "bar");
  const filled = element("i");
  filled.style.width = `${100 * Math.max(0, cosine)}%`;
  bar.append(filled);
  button.append(dotMark, element("bdi", "", data.words[id]), bar, element("span", "cosine", cosine.toFixed(2).replace("-", "−")));
  button.title = `cosine ${cosine.toFixed(4)}`;
  button.setAttribute("aria-label", `${data.words[id]}, cosine ${cosine.toFixed(2)}`);
  button.addEventListener("click", () => {
    choose(id, {});
    document.getElementById("word").focus({ preventScroll: true });
  });
  for (const kind of ["pointerenter", "focus"]) button.addEventListener(kind, () => point(id));
  for (const kind of ["pointerleave", "blur"]) button.addEventListener(kind, () => point(null));
  item.append(button);
  return item;
}

// Mark a word of the list on the map, without moving it.
function point(id) {
  state.pointed = id;
  requestDraw();
}

function showHint(id, left, top) {
  hint.hidden = id === null;
  if (id === null) return;
  const near = neighboursOf(id).slice(0, 6).map((one) => data.words[one.id]);
  hint.querySelector("strong").textContent = data.words[id];
  hint.querySelector("span").textContent = near.join(", ");
  const isLow = top + 24 + hint.offsetHeight > innerHeight;
  const x = Math.max(8, Math.min(left + 16, innerWidth - hint.offsetWidth - 8));
  hint.style.transform = `translate(${x}px, ${isLow ? top - hint.offsetHeight - 14 : top + 18}px)`;
}

function showLegend() {
  const isClusters = colouring.by === "clusters";
  document.getElementById("swatches").hidden = !isClusters;
  document.getElementById("scale").hidden = isClusters;
  for (const button of document.querySelectorAll("[data-colouring]"))
    button.setAttribute("aria-pressed", String(button.dataset.colouring === colouring.by));
  if (isClusters) document.getElementById("swatches").replaceChildren(...colouring.groups.map(swatch));
  else showScale();
}

function swatch({ colour, shape }, group) {
  const item = element("li");
  const button = element("button");
  button.type = "button";
  button.setAttribute("aria-pressed", String(colouring.only === group));
  const mark = document.createElement("canvas");
  [mark.width, mark.height] = [22, 22];
  const brush = mark.getContext("2d");
  brush.fillStyle = colour;
  brush.beginPath();
  addShape(brush, shape, 11, 11, 7.5);
  brush.fill();
  const names = data.typical[group].map((id) => data.words[id]).join(", ");
  button.append(mark, element("span", "", names));
  button.title = `Only these: ${names}`;
  button.addEventListener("click", () => {
    colouring.only = colouring.only === group ? null : group;
    showLegend();
    document.querySelectorAll("#swatches button")[group].focus();
    requestDraw();
  });
  item.append(button);
  return item;
}

function showScale() {
  const ramp = document.getElementById("ramp");
  const brush = ramp.getContext("2d");
  for (let left = 0; left < ramp.width; left += 1) {
    brush.fillStyle = blend(FREQUENCY_COLOURS[colouring.theme], left / (ramp.width - 1));
    brush.fillRect(left, 0, 1, ramp.height);
  }
  const { counts, size } = data;
  document.getElementById("rarest").textContent = counts === null ? "rare" : number(counts[size - 1]);
  document.getElementById("commonest").textContent = counts === null ? "frequent" : `${number(counts[0])} occurrences`;
}
