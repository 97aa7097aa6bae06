// The search: words that begin with what is typed, the most frequent first, then words that hold it.

const MOST_MATCHES = 8;
const searchBox = document.getElementById("search");
const matchList = document.getElementById("matches");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/ß/g, "ss");
let plainWords = null; // made when first needed
let matches = [];
let active = -1;

function findMatches(typed) {
  plainWords ??= data.words.map(plain);
  const wanted = plain(typed.trim());
  if (wanted === "") return [];
  const ranks = [[], [], []]; // the word itself, its beginning, its inside
  for (let id = 0; id < data.size; id += 1) {
    const at = plainWords[id].indexOf(wanted);
    if (at < 0) continue;
    ranks[at > 0 ? 2 : plainWords[id] === wanted ? 0 : 1].push(id);
  }
  return ranks.flat().slice(0, MOST_MATCHES);
}

function showMatches() {
  matches = findMatches(searchBox.value);
  const isEmpty = searchBox.value.trim() === "";
  matchList.replaceChildren(...matches.map(matchItem));
  if (!isEmpty && matches.length === 0) {
    const none = document.createElement("li");
    none.className = "none";
    none.setAttribute("role", "presentation");
    none.textContent = "Not on this map";
    matchList.append(none);
    tell("No word on this map.");
  }
  matchList.hidden = isEmpty;
  searchBox.setAttribute("aria-expanded", String(matches.length > 0));
  setActive(matches.length ? 0 : -1);
}

function matchItem(id, place) {
  const item = document.createElement("li");
  item.id = `match-${place}`;
  item.setAttribute("role", "option");
  const word = document.createElement("bdi");
  word.textContent = data.words[id];
  item.append(word);
  if (data.counts !== null) {
    const count = document.createElement("small");
    count.textContent = data.counts[id].toLocaleString("en");
    item.append(count);
  }
  item.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
  item.addEventListener("click", () => follow(id));
  item.addEventListener("pointermove", () => setActive(place));
  return item;
}

function setActive(place) {
  active = place;
  matchList.querySelectorAll("[role=option]").forEach((item, index) => item.setAttribute("aria-selected", String(index === place)));
  if (place >= 0) searchBox.setAttribute("aria-activedescendant", `match-${place}`);
  else searchBox.removeAttribute("aria-activedescendant");
}

function closeMatches() {
  matchList.hidden = true;
  searchBox.setAttribute("aria-expanded", "false");
  setActive(-1);
}

function follow(id) {
  searchBox.value = "";
  matches = [];
  closeMatches();
  searchBox.blur();
  choose(id, { isFlown: true });
  document.getElementById("word").focus({ preventScroll: true });
}

searchBox.addEventListener("input", showMatches);
searchBox.addEventListener("focus", () => searchBox.value && showMatches());
searchBox.addEventListener("blur", closeMatches);
searchBox.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (matches.length) setActive((active + (event.key === "ArrowDown" ? 1 : -1) + matches.length) % matches.length);
  } else if (event.key === "Escape") {
    event.stopPropagation();
    if (searchBox.value === "") canvas.focus();
    searchBox.value = "";
    showMatches();
  }
});
document.getElementById("finder").addEventListener("submit", (event) => {
  event.preventDefault();
  if (active >= 0) follow(matches[active]);
});
