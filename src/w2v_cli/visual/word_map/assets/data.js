// The words of the map, unpacked: words, counts, x, y, cluster, and each word's neighbours with their cosines.

const COSINE_STEPS = 10000;

function unpack(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Kind(bytes.buffer); // little-endian, as every browser's machine is
}

function readData() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const points = unpack(data.points, Int16Array);
  const size = data.words.length;
  const x = new Float32Array(size);
  const y = new Float32Array(size);
  for (let id = 0; id < size; id += 1) {
    x[id] = points[2 * id] / 32767;
    y[id] = -points[2 * id + 1] / 32767; // a screen's y grows downwards
  }
  return {
    size,
    words: data.words,
    counts: data.counts,
    x,
    y,
    clusters: unpack(data.clusters, Uint8Array),
    typical: data.typical,
    each: data.neighboursEach,
    neighbours: unpack(data.neighbours, data.neighbourBits === 32 ? Uint32Array : Uint16Array),
    cosines: unpack(data.cosines, Int16Array),
  };
}

const data = readData();
const idsByWord = new Map(data.words.map((word, id) => [word, id]));

function neighboursOf(id) {
  return Array.from({ length: data.each }, (_, place) => ({
    id: data.neighbours[id * data.each + place],
    cosine: data.cosines[id * data.each + place] / COSINE_STEPS,
  }));
}

// How common a word is, from 0 for the rarest to 1 for the most frequent: by the logarithm of its count, or of its rank.
function commonness(id) {
  const { counts, size } = data;
  if (counts === null) return 1 - Math.log(id + 1) / Math.log(Math.max(size, 2));
  const low = Math.log(counts[size - 1] + 1);
  const high = Math.log(counts[0] + 1);
  return high > low ? (Math.log(counts[id] + 1) - low) / (high - low) : 1;
}

// Which words lie in which cell of a square grid over the map, so that the nearest to a place is found at once.
const GRID = 96;
const cells = Array.from({ length: GRID * GRID }, () => []);
const cellOf = (value) => Math.min(GRID - 1, Math.max(0, Math.floor(((value + 1) / 2) * GRID)));
for (let id = 0; id < data.size; id += 1) cells[cellOf(data.y[id]) * GRID + cellOf(data.x[id])].push(id);

// The word nearest to a place of the map, no farther than `reach`; null where there is none.
function nearestTo(x, y, reach) {
  let best = null;
  let bestDistance = reach * reach;
  for (let row = cellOf(y - reach); row <= cellOf(y + reach); row += 1) {
    for (let column = cellOf(x - reach); column <= cellOf(x + reach); column += 1) {
      for (const id of cells[row * GRID + column]) {
        const distance = (data.x[id] - x) ** 2 + (data.y[id] - y) ** 2;
        if (distance < bestDistance) [best, bestDistance] = [id, distance];
      }
    }
  }
  return best;
}
