// Points as pixels: ten thousand of them are mixed into one picture here, which costs the same with and without a graphics
// processor.

const RADIUS_STEPS = 4; // to a pixel, as many as the eye sees
const PHASES = 2; // places of a point within a pixel, across and down
const stamps = new Map();
const stampBrush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
let pixels = null;

// How much of each pixel a point covers, 0 to 255, in a square of `size` pixels with the point in its middle.
function stampOf(shape, steps, right, down) {
  const key = ((shape * 1024 + steps) * PHASES + right) * PHASES + down;
  let stamp = stamps.get(key);
  if (stamp === undefined) {
    const radius = steps / RADIUS_STEPS;
    const half = Math.ceil(1.4 * radius) + 1;
    const size = 2 * half + 1;
    stampBrush.clearRect(0, 0, stampBrush.canvas.width, stampBrush.canvas.height);
    stampBrush.beginPath();
    addShape(stampBrush, shape, half + (right + 0.5) / PHASES, half + (down + 0.5) / PHASES, radius);
    stampBrush.fill();
    const { data: channels } = stampBrush.getImageData(0, 0, size, size);
    stamp = { half, size, cover: Uint8Array.from({ length: size * size }, (_, index) => channels[4 * index + 3]) };
    stamps.set(key, stamp);
  }
  return stamp;
}

// Lay the points of every group onto the paper: `alphaOf` a group, `radiusOf` a word in pixels of the page.
function paintPoints(paper, alphaOf, radiusOf) {
  const { width, height } = canvas;
  if (pixels === null || pixels.width !== width || pixels.height !== height) pixels = new ImageData(width, height);
  new Uint32Array(pixels.data.buffer).fill(new Uint32Array(Uint8Array.of(...channelsOf(paper), 255).buffer)[0]);
  const ratio = width / camera.width;
  colouring.groups.forEach(({ colour, shape, ids }, group) => {
    const channels = channelsOf(colour);
    const alpha = alphaOf(group);
    for (const id of ids) {
      const left = toScreenX(data.x[id]) * ratio;
      const top = toScreenY(data.y[id]) * ratio;
      if (left < -8 || top < -8 || left > width + 8 || top > height + 8) continue;
      const [column, row] = [Math.floor(left), Math.floor(top)];
      const steps = Math.round(radiusOf(id) * ratio * RADIUS_STEPS);
      const stamp = stampOf(shape, steps, Math.floor((left - column) * PHASES), Math.floor((top - row) * PHASES));
      mixIn(stamp, column - stamp.half, row - stamp.half, channels, alpha);
    }
  });
  context.putImageData(pixels, 0, 0);
}

function mixIn({ size, cover }, left, top, [red, green, blue], alpha) {
  const { data: shown, width, height } = pixels;
  const [firstRow, lastRow] = [Math.max(0, -top), Math.min(size, height - top)];
  const [firstColumn, lastColumn] = [Math.max(0, -left), Math.min(size, width - left)];
  for (let row = firstRow; row < lastRow; row += 1) {
    for (let column = firstColumn; column < lastColumn; column += 1) {
      const covered = cover[row * size + column];
      if (covered === 0) continue;
      const share = (covered * alpha) / 255;
      const at = 4 * ((top + row) * width + left + column);
      shown[at] += (red - shown[at]) * share;
      shown[at + 1] += (green - shown[at + 1]) * share;
      shown[at + 2] += (blue - shown[at + 2]) * share;
    }
  }
}
