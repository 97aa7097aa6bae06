// Colours of clusters and frequencies, for light and dark: Paul Tol's "muted" and "light" schemes and cividis, which
// people with any kind of colour vision tell apart. Beyond eight clusters the shape changes, too.

const CLUSTER_COLOURS = {
  light: ["#332288", "#cc6677", "#117733", "#aa4499", "#44aa99", "#999933", "#882255", "#5fb4e0"],
  dark: ["#77aadd", "#ee8866", "#44bb99", "#ffaabb", "#99ddff", "#bbcc33", "#eedd88", "#dddddd"],
};
const FREQUENCY_COLOURS = {
  light: ["#d3c06a", "#a69d75", "#7c7b78", "#575d6d", "#31446b", "#00204d"],
  dark: ["#3d568a", "#666f86", "#858a83", "#aaa377", "#d3c065", "#ffea46"],
};
const SHADES = 24;

const channelsOf = (colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));

// The colour at a share of the way along `colours`.
function blend(colours, share) {
  const place = share * (colours.length - 1);
  const first = Math.min(colours.length - 2, Math.floor(place));
  const [low, high] = [channelsOf(colours[first]), channelsOf(colours[first + 1])];
  const channels = low.map((value, channel) => Math.round(value + (high[channel] - value) * (place - first)));
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

const colouring = { by: "clusters", theme: "light", groups: [], groupOf: new Uint8Array(data.size), only: null };

// Sort the words into groups of one colour and shape: [{colour, shape, ids}].
function regroup() {
  const { by, theme } = colouring;
  const isClusters = by === "clusters";
  const count = isClusters ? data.typical.length : SHADES;
  colouring.groups = Array.from({ length: count }, (_, group) => ({
    colour: isClusters
      ? CLUSTER_COLOURS[theme][group % 8]
      : blend(FREQUENCY_COLOURS[theme], group / (SHADES - 1)),
    shape: isClusters ? Math.floor(group / 8) : 0,
    ids: [],
  }));
  for (let id = data.size - 1; id >= 0; id -= 1) {
    const group = isClusters ? data.clusters[id] : Math.round(commonness(id) * (SHADES - 1));
    colouring.groupOf[id] = group;
    colouring.groups[group].ids.push(id);
  }
}

const colourOf = (id) => colouring.groups[colouring.groupOf[id]].colour;

// Add a point to the path: a disc, a square, a triangle or a diamond.
function addShape(context, shape, left, top, radius) {
  if (shape === 0) {
    context.moveTo(left + radius, top);
    context.arc(left, top, radius, 0, 2 * Math.PI);
  } else if (shape === 1) {
    context.rect(left - radius * 0.9, top - radius * 0.9, radius * 1.8, radius * 1.8);
  } else if (shape === 2) {
    context.moveTo(left, top - radius * 1.2);
    context.lineTo(left + radius * 1.15, top + radius * 0.85);
    context.lineTo(left - radius * 1.15, top + radius * 0.85);
    context.closePath();
  } else {
    context.moveTo(left, top - radius * 1.35);
    context.lineTo(left + radius * 1.35, top);
    context.lineTo(left, top + radius * 1.35);
    context.lineTo(left - radius * 1.35, top);
    context.closePath();
  }
}
