// Charts by Chart.js, a classic script that may be absent; then the page shows tables only.
import { byId } from "./dom.js";
import { MINUS } from "./format.js";

const charts = {};
export const chartsAvailable = typeof globalThis.Chart === "function";
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Diagonal stripes: tells returns from sales without colour. */
export function hatch(ink) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.strokeStyle = ink;
  pen.lineWidth = 2.5;
  for (const x of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(x - 1, 9);
    pen.lineTo(x + 9, -1);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}

/** A short axis label; the exact figure is in the tooltip and the table. */
function axis(value) {
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : "";
  if (size >= 1e6) return `${sign}${+(size / 1e6).toFixed(1)}M`;
  if (size >= 1e3) return `${sign}${+(size / 1e3).toFixed(1)}k`;
  return sign + String(+size.toFixed(2));
}

export function draw(id, config, label) {
  if (!chartsAvailable) return;
  const canvas = byId(id);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const existing = charts[id];
  if (existing) {
    existing.config.data = config.data;
    existing.options = config.options;
    existing.update("none");
  } else {
    charts[id] = new globalThis.Chart(canvas, config);
  }
}

export function chartOptions(exact, extra = {}) {
  const ink = colour("quiet");
  const grid = { color: colour("grid"), borderColor: colour("line-strong") };
  const scale = (more) => ({ grid, ticks: { color: ink, ...more } });
  const amounts = scale({ callback: axis, maxTicksLimit: 6 });
  const named = (more) => ({ ...scale(more), grid: { display: false } });
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    indexAxis: extra.horizontal ? "y" : "x",
    font: { family: "system-ui, sans-serif" },
    interaction: { mode: extra.horizontal ? "nearest" : "index", axis: extra.horizontal ? "y" : "x", intersect: false },
    onClick: extra.onClick,
    scales: extra.horizontal
      ? { x: amounts, y: named({ autoSkip: false, callback: extra.tick }) }
      : { x: { ...named({ maxRotation: 0, autoSkipPadding: 12 }), stacked: true }, y: amounts },
    plugins: {
      legend: {
        display: Boolean(extra.legend), position: "top", align: "start",
        labels: { color: colour("ink"), boxWidth: 18, boxHeight: 10, padding: 12 },
      },
      tooltip: { callbacks: { label: (item) => exact(item.datasetIndex, item.dataIndex) } },
    },
  };
}
