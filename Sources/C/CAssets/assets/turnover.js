// Turnover windows by store: the latest as bars, corrections as a list.
import { api } from "./api.js";
import { byId, draw, el, fill, table, unfolded } from "./dom.js";
import { clock, count, height, MINUS, money } from "./format.js";

const WINDOWS = 300;
const BARS = 24; // per store, the latest to the right
const STORES = 12;
const CORRECTIONS = 6;
const SLOT = 12; // width of a bar and its gap
const TOP = 14; // room for the mark above the highest bar
const HEIGHT = 74;

const storeName = (row) => row.store_name || row.store_key;
const days = (rows) => new Set(rows.map((r) => r.start.slice(0, 10))).size;

/** Symbol and words: what a window's figure is worth. */
function stateOf(row) {
  if (row.state === "open") return "○ Open";
  const late = row.late_count ? `, ${count(row.late_count)} late` : "";
  return row.revision === 1 ? `● Published${late}` : `▲ Revision ${count(row.revision)}${late}`;
}

const span = (row, withDay) => `${clock(row.start, withDay)}–${clock(row.end, false)}`;
const said = (row) =>
  `${span(row, true)} UTC: ${money(row.total, row.currency)}, ${sales(row.sale_count)}, ${stateOf(row)}`;
const sales = (n) => `${count(n)} ${n === 1 ? "sale" : "sales"}`;

/** A bar for each window; open ones are outlined, corrected ones carry a triangle. */
function bars(rows, most) {
  const width = BARS * SLOT;
  const nodes = rows.slice(0, BARS).map((row, index) => {
    const tall = most > 0 ? Math.max(1.5, ((HEIGHT - TOP - 2) * height(row.total)) / most) : 1.5;
    const x = width - (index + 1) * SLOT + 1.5;
    const y = HEIGHT - 1 - tall;
    const open = row.state === "open";
    const bar = draw("rect", {
      x, y: y.toFixed(1), width: SLOT - 3, height: tall.toFixed(1), class: open ? "window-open" : "window-published",
    }, draw("title", { text: said(row) }));
    if (row.revision < 2) return bar;
    const middle = x + (SLOT - 3) / 2;
    const tip = Math.max(1, y - 9);
    const points = `${middle},${tip} ${middle - 4.5},${tip + 7} ${middle + 4.5},${tip + 7}`;
    return draw("g", {}, bar, draw("polygon", { points, class: "window-revised" }, draw("title", { text: said(row) })));
  });
  const label = `The latest ${Math.min(rows.length, BARS)} windows, newest on the right; figures in the table below.`;
  return draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "windows", role: "img", "aria-label": label },
    draw("line", { x1: 0, x2: width, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5, class: "window-base" }), ...nodes);
}

function card(rows, most, open) {
  const latest = rows[0];
  const id = `${latest.store} ${latest.currency}`;
  const shown = rows.slice(0, BARS);
  const withDay = days(shown) > 1;
  const details = el("details", { "data-id": id },
    el("summary", { key: `windows:${id}`, text: "Windows as a table" }),
    el("div", { class: "scroll", role: "region", "aria-label": `Windows of ${storeName(latest)}`, tabindex: "0" },
      table(`Windows of ${storeName(latest)}`, [
        { head: "Window (UTC)", once: true, cell: (r) => span(r, withDay) },
        { head: "Total", numeric: true, cell: (r) => money(r.total, r.currency) },
        { head: "Sales", numeric: true, cell: (r) => count(r.sale_count) },
        { head: "State", once: true, cell: stateOf },
      ], shown)));
  details.open = open.has(id);
  return el("article", { class: "store", "data-store": latest.store },
    el("h3", { text: storeName(latest) }),
    el("p", { class: "value", text: money(latest.total, latest.currency) }),
    el("p", { class: "caption" }, el("span", { class: "state", "data-state": latest.state, text: stateOf(latest) }),
      el("span", { class: "wide-only", text: ` ${latest.start.slice(0, 10)}` }),
      ` ${span(latest, false)} UTC, ${sales(latest.sale_count)}`),
    bars(rows, most), details);
}

const CAUSES = { late: "Late sale", correction: "Correction", watermark: "Published", idle: "Store was idle" };

function corrections(rows) {
  const change = (r) => {
    const down = r.delta.startsWith("-");
    return `${down ? "▼" : "▲"} ${down ? MINUS : "+"}${money(r.delta.replace("-", ""), r.currency)}`;
  };
  return table("Latest corrections of published windows", [
    { head: "Store", cell: storeName },
    { head: "Window (UTC)", once: true, cell: (r) => el("span", {},
      el("span", { class: "wide-only", text: `${r.start.slice(0, 10)} ` }), clock(r.start, false)) },
    { head: "Said before", numeric: true, wideOnly: true, cell: (r) => money(r.old_total, r.currency) },
    { head: "Says now", numeric: true, cell: (r) => money(r.new_total, r.currency) },
    { head: "Change", numeric: true, cell: change },
    { head: "Why", cell: (r) => CAUSES[r.cause] ?? r.cause },
    { head: "Corrected (UTC)", once: true, wideOnly: true, cell: (r) => clock(r.published_at, true) },
  ], rows);
}

export async function loadTurnover(current) {
  const [windows, revisions] = await Promise.all([
    api("/v1/windows", { limit: WINDOWS }),
    api("/v1/windows/revisions", { corrections: true, limit: CORRECTIONS }),
  ]);
  if (!current()) return;
  byId("turnover-panel").hidden = windows.items.length === 0;
  const stores = new Map();
  const most = {};
  for (const row of windows.items) {
    const id = `${row.store_key}\n${row.store}\n${row.currency}`;
    if (!stores.has(id)) stores.set(id, []);
    const rows = stores.get(id);
    rows.push(row);
    if (rows.length <= BARS) most[row.currency] = Math.max(most[row.currency] ?? 0, height(row.total));
  }
  const ids = [...stores.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const container = byId("turnover-stores");
  const open = unfolded(container);
  fill(container, ...ids.slice(0, STORES).map((id) => {
    const rows = stores.get(id);
    return card(rows, most[rows[0].currency], open);
  }));
  byId("turnover-more").textContent =
    ids.length > STORES ? `${count(ids.length - STORES)} more stores had sales lately; /v1/windows lists them.` : "";
  byId("turnover-corrections").hidden = revisions.items.length === 0;
  fill(byId("turnover-revisions"), corrections(revisions.items));
}
