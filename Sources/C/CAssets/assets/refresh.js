// Loading the panels: one by name, or all after something changed.
import { byId } from "./dom.js";

const REFRESH_MS = 1000; // panels are read again at most this often

/** Panel name → its load, given a function that tells whether this load is still the latest; app.js fills it. */
export const panels = {};

/** Names of panels with a chart. */
export const CHARTS = ["time", "products", "cancelled"];

/** Names of the panels that show one answer of /v1/overview: all are drawn anew when one is. */
export const FILTERED = ["totals", ...CHARTS, "loyal"];
export const runFiltered = () => Promise.all(FILTERED.map(run));

const SLOW_MS = 5000; // those in `slow` at most this often

/** Names of panels that need not follow every change at once. */
export const slow = new Set();
const readAt = {};

const refresh = { running: false, wanted: false, lastAt: 0, timer: 0, late: 0 };
const turns = {};

function panelError(name, problem) {
  const node = byId(`${name}-error`);
  node.hidden = !problem;
  if (problem) node.textContent = `These figures could not be read and may be old. ${problem.message}`;
}

/** Loads one panel; a failure is shown in it. Of loads that overlap, only the latest shows anything. */
export async function run(name) {
  const turn = (turns[name] = (turns[name] ?? 0) + 1);
  try {
    await panels[name](() => turn === turns[name]);
    if (turn === turns[name]) panelError(name, null);
  } catch (problem) {
    if (turn === turns[name]) panelError(name, problem);
  }
}

/** Reads all panels again, at most once per REFRESH_MS, never twice at a time, not while the page is hidden. */
export function refreshSoon() {
  refresh.wanted = true;
  if (refresh.running || refresh.timer || document.hidden) return;
  const wait = Math.max(0, refresh.lastAt + REFRESH_MS - Date.now());
  refresh.timer = setTimeout(async () => {
    refresh.timer = 0;
    refresh.running = true;
    refresh.wanted = false;
    refresh.lastAt = Date.now();
    const names = Object.keys(panels);
    const due = names.filter((name) => !slow.has(name) || Date.now() - (readAt[name] ?? 0) >= SLOW_MS);
    for (const name of due) readAt[name] = Date.now();
    await Promise.all(due.map(run));
    refresh.running = false;
    clearTimeout(refresh.late);
    if (due.length < names.length) refresh.late = setTimeout(refreshSoon, SLOW_MS);
    if (refresh.wanted) refreshSoon();
  }, wait);
}
