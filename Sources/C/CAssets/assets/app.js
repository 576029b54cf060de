// The dashboard. Reads the HTTP API only (docs: /v1/openapi.json); no framework, no third party but Chart.js, which may
// be absent. Rules kept throughout: data reaches the page through textContent, never as markup; money stays the decimal
// string the server sent (BigInt for sums), and becomes a number only as the height of a bar.
"use strict";

const REFRESH_MS = 1000; // panels are read again at most this often
const STATUS_MS = 5000; // rate and lag without events; also notices a dead server
const SPOKEN_MS = 15000; // screen readers hear changed totals at most this often
const BACKOFF_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const GRAINS = ["year", "quarter", "month", "week", "day"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ORDERS_PER_PAGE = 10;
const RESULTS = 24;

// ---------------------------------------------------------------------------------------------------- small helpers

const byId = (id) => document.getElementById(id);

/** An element; `attributes` with on… keys are listeners, `text` is its text, `key` names it for keeping the focus. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else if (name === "key") node.dataset.key = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Replaces the content of `container`; the focused element (by its key) keeps the focus. */
function fill(container, ...nodes) {
  const active = document.activeElement;
  const key = active && container.contains(active) ? active.dataset.key : undefined;
  container.replaceChildren(...nodes.filter((node) => node !== null && node !== undefined));
  if (!key) return;
  for (const node of container.querySelectorAll("[data-key]")) {
    if (node.dataset.key === key) return node.focus({ preventScroll: true });
  }
}

/** Sets the text and lets a changed figure light up briefly. */
function setFigure(node, text) {
  if (node.textContent === text) return;
  const first = node.textContent === "";
  node.textContent = text;
  if (first) return;
  node.classList.remove("changed");
  void node.offsetWidth;
  node.classList.add("changed");
}

async function api(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  }
  const text = query.toString();
  const response = await fetch(text ? `${path}?${text}` : path, { headers: { Accept: "application/json" }, cache: "no-store" });
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const message = body?.error?.message ?? `The server answered ${response.status}.`;
  throw new Error(message);
}

// ------------------------------------------------------------------------------------------------ decimals and money

const SYMBOLS = { GBP: "£", EUR: "€", USD: "$" };
const MINUS = "\u2212";

/** "-1234.5" → "−1,234.5": every digit is the server's. */
function grouped(decimal) {
  const text = String(decimal);
  const negative = text.startsWith("-");
  const [whole, fraction] = (negative ? text.slice(1) : text).split(".");
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (negative ? MINUS : "") + withCommas + (fraction === undefined ? "" : `.${fraction}`);
}

function money(amount, currency) {
  if (amount === null || amount === undefined) return "–";
  const text = grouped(amount);
  const symbol = SYMBOLS[currency];
  if (!symbol) return `${text} ${currency ?? ""}`.trim();
  return text.startsWith(MINUS) ? MINUS + symbol + text.slice(1) : symbol + text;
}

const moneyList = (list) => (list && list.length ? list.map((m) => money(m.amount, m.currency)).join(", ") : "–");
const isZero = (decimal) => /^-?0*(\.0*)?$/.test(String(decimal));

/** Exact sum of decimal strings. */
function sum(decimals) {
  const places = Math.max(2, ...decimals.map((d) => (String(d).split(".")[1] ?? "").length));
  let total = 0n;
  for (const decimal of decimals) {
    const [whole, fraction = ""] = String(decimal).split(".");
    total += BigInt(whole + fraction.padEnd(places, "0"));
  }
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, "0");
  let fraction = digits.slice(-places);
  while (fraction.length > 2 && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return `${total < 0n ? "-" : ""}${digits.slice(0, -places)}.${fraction}`;
}

const count = (n) => (n === null || n === undefined ? "–" : grouped(n));
const rate = (x) => (typeof x === "number" ? (x >= 100 ? grouped(Math.round(x)) : x.toFixed(1)) : "–");
/** Geometry only. */
const height = (decimal) => Number(decimal);

// ------------------------------------------------------------------------------------------------------------- dates

/** "2010-12-01T08:26:00Z" → "2010-12-01 08:26 UTC". */
function instant(text) {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?/.exec(text ?? "");
  if (!match) return text ?? "–";
  return `${match[1]} ${match[2]}${match[3] === "Z" ? " UTC" : match[3] ? ` ${match[3]}` : ""}`;
}

const isoDay = (date) => date.toISOString().slice(0, 10);
const utc = (y, m, d) => new Date(Date.UTC(y, m, d));

/** What a period of the API covers (both days included) and how it is called. */
function period(grain, text) {
  const numbers = (text.match(/\d+/g) ?? []).map(Number);
  const [year, second = 1, third = 1] = numbers;
  const isDate = /^\d{4}-\d\d-\d\d/.test(text);
  const make = (from, to, label) => ({ from: isoDay(from), to: isoDay(to), label });
  switch (grain) {
    case "year":
      return make(utc(year, 0, 1), utc(year, 11, 31), String(year));
    case "quarter": {
      const quarter = isDate ? Math.ceil(second / 3) : second;
      return make(utc(year, quarter * 3 - 3, 1), utc(year, quarter * 3, 0), `Q${quarter} ${year}`);
    }
    case "month":
      return make(utc(year, second - 1, 1), utc(year, second, 0), `${MONTHS[second - 1]} ${year}`);
    case "week": {
      let monday, label;
      if (isDate) {
        monday = utc(year, second - 1, third);
        const thursday = new Date(monday.getTime() + 3 * 86400000);
        const first = utc(thursday.getUTCFullYear(), 0, 1);
        label = `W${String(1 + Math.floor((thursday - first) / (7 * 86400000))).padStart(2, "0")} ${thursday.getUTCFullYear()}`;
      } else {
        const fourth = utc(year, 0, 4);
        monday = new Date(fourth.getTime() + ((second - 1) * 7 - ((fourth.getUTCDay() + 6) % 7)) * 86400000);
        label = `W${String(second).padStart(2, "0")} ${year}`;
      }
      return make(monday, new Date(monday.getTime() + 6 * 86400000), label);
    }
    default:
      return make(utc(year, second - 1, third), utc(year, second - 1, third), `${third} ${MONTHS[second - 1]} ${year}`);
  }
}

const later = (a, b) => (!a ? b : !b ? a : a > b ? a : b);
const earlier = (a, b) => (!a ? b : !b ? a : a < b ? a : b);

// ------------------------------------------------------------------------------------------------------------- state

const state = {
  filter: { from: "", to: "", country: "" },
  grain: "month",
  crumbs: [], // {grain, label, from, to}: what was drilled into, outermost first
  currency: null, // the one that charts show: most orders
  customer: null, // id
  orderCursors: [null], // one per visited page, the last is shown
};

// ------------------------------------------------------------------------------------------------------------ tables

/** `columns`: {head, cell: row → string or Node, numeric?, cut?, wideOnly?}. The first column heads its row. */
function table(caption, columns, rows, foot) {
  const classes = (column) => [column.numeric && "num", column.cut && "cut", column.once && "once", column.wideOnly && "wide-only"].filter(Boolean).join(" ") || null;
  const cell = (column, index, content) => {
    const node = el(index === 0 ? "th" : "td", { class: classes(column), scope: index === 0 ? "row" : null });
    node.append(content);
    if (column.cut && typeof content === "string") node.title = content;
    return node;
  };
  const body = rows.map((row) => el("tr", { class: row.class }, ...columns.map((c, i) => cell(c, i, c.cell(row) ?? "–"))));
  return el("table", {},
    el("caption", { class: "hidden-visually", text: caption }),
    el("thead", {}, el("tr", {}, ...columns.map((c) => el("th", { scope: "col", class: classes(c), text: c.head })))),
    el("tbody", {}, ...body),
    foot ? el("tfoot", {}, el("tr", {}, ...columns.map((c, i) => cell(c, i, foot[i] ?? "")))) : null);
}

const empty = (text) => el("p", { class: "empty", text });
const linkButton = (text, key, action) => el("button", { type: "button", class: "link", key, text, onclick: action });
const invoiceButton = (row, place) => linkButton(row.number, `${place}:${row.invoice}`, () => openInvoice(row.invoice, row.number));
const stat = (label, value, caption) =>
  el("div", {}, el("dt", { text: label }), el("dd", { text: value }), caption ? el("dd", { class: "caption", text: caption }) : null);

// ------------------------------------------------------------------------------------------------------------ charts

const charts = {};
const chartsAvailable = typeof Chart === "function";
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Diagonal stripes: tells returns from sales without colour. */
function hatch(ink) {
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

function draw(id, config, label) {
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
    charts[id] = new Chart(canvas, config);
  }
}

function chartOptions(exact, extra = {}) {
  const ink = colour("quiet");
  const scale = (more) => ({ grid: { color: colour("grid"), borderColor: colour("line-strong") }, ticks: { color: ink, ...more } });
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    indexAxis: extra.horizontal ? "y" : "x",
    font: { family: "system-ui, sans-serif" },
    interaction: { mode: extra.horizontal ? "nearest" : "index", axis: extra.horizontal ? "y" : "x", intersect: false },
    onClick: extra.onClick,
    scales: extra.horizontal
      ? { x: scale({ callback: axis, maxTicksLimit: 6 }), y: { ...scale({ autoSkip: false, callback: extra.tick }), grid: { display: false } } }
      : { x: { ...scale({ maxRotation: 0, autoSkipPadding: 12 }), grid: { display: false }, stacked: true }, y: scale({ callback: axis, maxTicksLimit: 6 }) },
    plugins: {
      legend: { display: Boolean(extra.legend), position: "top", align: "start", labels: { color: colour("ink"), boxWidth: 18, boxHeight: 10, padding: 12 } },
      tooltip: { callbacks: { label: (item) => exact(item.datasetIndex, item.dataIndex) } },
    },
  };
}

// ------------------------------------------------------------------------------------------------------------ totals

const FIGURES = [
  ["gross", "Gross sales", "Quantity × price of all sold lines, before returns."],
  ["returns", "Returns", "Value of goods taken back or cancelled."],
  ["net", "Net sales", "Gross sales less returns."],
  ["adjustments", "Adjustments", "Bad debt, corrections and stock entries; in no other native figure."],
  ["reference", "Reference total", "Formula of the reference report: all lines whose number does not begin with C, adjustments included."],
  ["average", "Average order value", "Sales divided by the number of orders."],
];
const totals = { native: [], reference: {}, average: {}, spokenAt: 0, blocks: new Map() };

function showTotals() {
  const container = byId("totals");
  const list = totals.native;
  state.currency = list.reduce((best, t) => (!best || t.orders > best.orders ? t : best), null)?.currency ?? null;
  const shown = list.length ? list : [{ currency: "", none: true }];
  for (const [currency, block] of totals.blocks) {
    if (shown.some((t) => t.currency === currency)) continue;
    block.root.remove();
    totals.blocks.delete(currency);
  }
  for (const total of shown) {
    let block = totals.blocks.get(total.currency);
    if (!block) {
      block = { values: {}, captions: {} };
      block.root = el("dl", { class: "figures" }, ...FIGURES.map(([name, label, what]) => {
        block.values[name] = el("dd", { class: "value", id: list.length < 2 ? `total-${name}` : `total-${name}-${total.currency}` });
        block.captions[name] = el("dd", { class: "caption", text: what });
        return el("div", { class: name === "net" ? "strong" : null }, el("dt", { text: label }), block.values[name], block.captions[name]);
      }));
      totals.blocks.set(total.currency, block);
      container.append(block.root);
    }
    for (const [name] of FIGURES) {
      const amount = name === "reference" ? totals.reference[total.currency] : name === "average" ? totals.average[total.currency]?.average : total[name];
      setFigure(block.values[name], total.none ? "–" : money(amount, total.currency));
    }
    block.captions.gross.textContent = total.none
      ? FIGURES[0][2]
      : `${FIGURES[0][2]} ${count(total.orders)} orders, ${count(total.units)} units.`;
    const average = totals.average[total.currency];
    block.captions.average.textContent = average ? `${FIGURES[5][2]} ${count(average.orders)} orders.` : FIGURES[5][2];
  }
  speakTotals();
}

function speakTotals() {
  const now = Date.now();
  if (now - totals.spokenAt < SPOKEN_MS) return;
  const text = totals.native
    .map((t) => `Net sales ${money(t.net, t.currency)}, gross ${money(t.gross, t.currency)}, returns ${money(t.returns, t.currency)}.`).join(" ");
  const spoken = byId("totals-spoken");
  if (!text || spoken.textContent === text) return;
  spoken.textContent = text;
  totals.spokenAt = now;
}

async function loadTotals() {
  const eventsBefore = live.events;
  const [native, reference, average] = await Promise.all([
    api("/v1/sales/total", { definition: "native" }),
    api("/v1/sales/total", { definition: "reference" }),
    api("/v1/sales/average-order-value"),
  ]);
  if (live.events === eventsBefore) totals.native = native.totals; // an event that came meanwhile is newer
  totals.reference = Object.fromEntries(reference.totals.map((t) => [t.currency, t.sales]));
  totals.average = Object.fromEntries(average.items.map((t) => [t.currency, t]));
  showTotals();
}

// --------------------------------------------------------------------------------------------------- sales over time

function timeRange() {
  const last = state.crumbs[state.crumbs.length - 1];
  return { from: later(state.filter.from, last?.from), to: earlier(state.filter.to, last?.to) };
}

function drillInto(entry) {
  const level = GRAINS.indexOf(state.grain);
  if (level === GRAINS.length - 1) return;
  state.crumbs.push({ label: entry.label, grain: state.grain, from: entry.from, to: entry.to });
  state.grain = GRAINS[level + 1];
  showDrill();
  run("time").then(() => {
    const box = byId("time-table");
    if (!box.contains(document.activeElement)) (box.querySelector("button") ?? box).focus({ preventScroll: true });
  });
}

function leaveTo(depth) {
  const left = state.crumbs[depth];
  state.crumbs.length = depth;
  if (left) state.grain = left.grain;
  showDrill();
  run("time");
}

function showDrill() {
  const names = ["All periods", ...state.crumbs.map((c) => c.label)];
  const nodes = [];
  names.forEach((name, depth) => {
    if (depth > 0) nodes.push(el("span", { "aria-hidden": "true", text: "›" }));
    nodes.push(depth === names.length - 1
      ? el("span", { "aria-current": "true", text: name })
      : linkButton(name, `crumb:${depth}`, () => leaveTo(depth)));
  });
  fill(byId("crumbs"), ...nodes);
  const box = byId("grain");
  if (box.querySelectorAll("input").length === 0) {
    for (const grain of GRAINS) {
      const input = el("input", { type: "radio", name: "grain", value: grain, onchange: () => chooseGrain(grain) });
      box.append(el("label", {}, input, grain[0].toUpperCase() + grain.slice(1)));
    }
  }
  for (const input of box.querySelectorAll("input")) input.checked = input.value === state.grain;
}

function chooseGrain(grain) {
  state.grain = grain;
  // Crumbs finer than or equal to the new grain would hide what was asked for.
  while (state.crumbs.length && GRAINS.indexOf(state.crumbs[state.crumbs.length - 1].grain) >= GRAINS.indexOf(grain)) state.crumbs.pop();
  showDrill();
  run("time");
}

function scope(id, useCountry) {
  const { from, to, country } = state.filter;
  const parts = [];
  if (from || to) parts.push(`${from || "start"} to ${to || "today"}`);
  if (useCountry && country) parts.push(country);
  const node = byId(id);
  node.textContent = parts.length ? `Filtered: ${parts.join(", ")}` : "All data";
  node.dataset.filtered = String(parts.length > 0);
}

async function loadTime(current) {
  const grain = state.grain;
  const range = timeRange();
  const data = await api("/v1/sales/over-time", { grain, from: range.from, to: range.to, country: state.filter.country });
  if (!current()) return;
  scope("time-scope", true);
  const rows = data.items.map((item) => {
    const covered = period(grain, item.period);
    return { ...item, ...covered, from: later(covered.from, range.from), to: earlier(covered.to, range.to) };
  });
  rows.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.currency < b.currency ? -1 : 1));
  const canDrill = grain !== "day";
  const several = new Set(rows.map((r) => r.currency)).size > 1;
  const next = canDrill ? GRAINS[GRAINS.indexOf(grain) + 1] : "";
  const single = rows.filter((r) => r.currency === (several ? state.currency : r.currency));
  const currency = single[0]?.currency;
  const columns = [
    { head: "Period", once: true, cell: (r) => {
      if (!canDrill) return r.label;
      const button = linkButton(r.label, `period:${r.period}:${r.currency}`, () => drillInto(r));
      button.title = `Show ${r.label} by ${next}`;
      return button;
    } },
    { head: "Gross", numeric: true, wideOnly: false, cell: (r) => money(r.gross, r.currency) },
    { head: "Returns", numeric: true, cell: (r) => money(r.returns, r.currency) },
    { head: "Net", numeric: true, cell: (r) => money(r.net, r.currency) },
    { head: "Orders", numeric: true, wideOnly: true, cell: (r) => count(r.orders) },
  ];
  const add = (name) => money(sum(single.map((r) => r[name])), currency);
  fill(byId("time-table"), rows.length
    ? table("Sales over time", columns, rows, [several ? `Sum ${currency}` : "Sum", add("gross"), add("returns"), add("net"), count(single.reduce((n, r) => n + r.orders, 0))])
    : empty(state.filter.from || state.filter.to || state.filter.country ? "No sales in this range." : "No sales yet."));
  byId("time-chart").parentElement.hidden = rows.length === 0;
  const names = ["gross", "returns", "net"];
  const titles = ["Gross", "Returns (striped)", "Net (line)"];
  draw("time-chart", {
    type: "bar",
    data: {
      labels: single.map((r) => r.label),
      datasets: chartsAvailable ? [
        { label: titles[0], data: single.map((r) => height(r.gross)), backgroundColor: colour("gross"), stack: "a", order: 2, maxBarThickness: 44 },
        { label: titles[1], data: single.map((r) => -Math.abs(height(r.returns))), backgroundColor: hatch(colour("returns")), borderColor: colour("returns"), borderWidth: 1, stack: "a", order: 2, maxBarThickness: 44 },
        { label: titles[2], type: "line", data: single.map((r) => height(r.net)), borderColor: colour("net"), backgroundColor: colour("surface"), borderWidth: 1.5, pointStyle: "rectRot", pointRadius: single.length > 60 ? 0 : 4, order: 1, stack: "b" },
      ] : [],
    },
    options: chartOptions((set, index) => `${["Gross", "Returns", "Net"][set]} ${money(single[index]?.[names[set]], currency)}`, {
      legend: true,
      onClick: (event, hits) => { if (canDrill && hits.length && single[hits[0].index]) drillInto(single[hits[0].index]); },
    }),
  }, `Sales by ${grain}${currency ? ` in ${currency}` : ""}: ${single.length} periods; the table beside it has the figures.`);
}

// ---------------------------------------------------------------------------------------------------------- products

async function loadProducts(current) {
  const data = await api("/v1/products/top", {
    limit: 10, exclude_non_products: byId("exclude").checked, from: state.filter.from, to: state.filter.to,
  });
  if (!current()) return;
  scope("products-scope", false);
  const rows = data.items;
  fill(byId("products-table"), rows.length
    ? table("Top 10 products by gross sales", [
      { head: "Rank", cell: (r) => String(r.rank) },
      { head: "Code", once: true, cell: (r) => r.code },
      { head: "Product", cut: true, cell: (r) => r.description || "No description" },
      { head: "Units", numeric: true, wideOnly: true, cell: (r) => count(r.units) },
      { head: "Gross sales", numeric: true, cell: (r) => money(r.gross, r.currency) },
    ], rows)
    : empty("No products sold in this range."));
  const single = rows.filter((r) => r.currency === (rows.some((o) => o.currency !== rows[0].currency) ? state.currency : r.currency));
  byId("products-chart").parentElement.hidden = single.length === 0;
  const cut = (text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);
  const named = single.map((r) => cut(`${r.rank}. ${r.description || r.code}`));
  const coded = single.map((r) => cut(`${r.rank}. ${r.code}`));
  draw("products-chart", {
    type: "bar",
    data: { labels: named, datasets: [{ label: "Gross sales", data: single.map((r) => height(r.gross)), backgroundColor: colour("bar"), maxBarThickness: 16 }] },
    options: chartOptions((set, index) => `${single[index]?.code}: ${money(single[index]?.gross, single[index]?.currency)}`, {
      horizontal: true,
      tick(value) { return (this.chart.width < 480 ? coded : named)[value]; }, // a phone has no room for names
    }),
  }, "Top 10 products by gross sales; the table below has the figures.");
}

// ------------------------------------------------------------------------------------------------------ cancellations

function cancellationGrain() {
  const { from, to } = state.filter;
  if (!from) return "month";
  const days = (new Date(to || Date.now()) - new Date(from)) / 86400000;
  return days <= 62 ? "day" : "month";
}

async function loadCancelled(current) {
  const grain = cancellationGrain();
  const data = await api("/v1/cancellations", { grain, from: state.filter.from, to: state.filter.to });
  if (!current()) return;
  scope("cancelled-scope", false);
  fill(byId("cancelled-stats"),
    stat("Documents", count(data.total.documents), "Cancellation documents (number begins with C)."),
    stat("Amount", moneyList(data.total.amounts), "Value of their lines."));
  const rows = data.items.map((item) => ({ ...item, ...period(grain, item.period) })).sort((a, b) => (a.from < b.from ? -1 : 1));
  const single = rows.filter((r) => rows.every((o) => o.currency === r.currency) || r.currency === state.currency);
  fill(byId("cancelled-periods"), table("Cancelled orders over time", [
    { head: grain === "day" ? "Day" : "Month", once: true, cell: (r) => r.label },
    { head: "Documents", numeric: true, cell: (r) => count(r.documents) },
    { head: "Amount", numeric: true, cell: (r) => money(r.amount, r.currency) },
  ], rows));
  byId("cancelled-more").hidden = rows.length === 0;
  if (!chartsAvailable) byId("cancelled-more").open = true;
  byId("cancelled-chart").parentElement.hidden = rows.length === 0;
  fill(byId("cancelled-table"), data.documents.length
    ? table("Latest cancelled orders", [
      { head: "Document", once: true, cell: (r) => invoiceButton(r, "cancelled") },
      { head: "When", once: true, cell: (r) => instant(r.occurred_at) },
      { head: "Amount", numeric: true, cell: (r) => money(r.amount, r.currency) },
    ], data.documents)
    : empty("No cancelled orders in this range."));
  draw("cancelled-chart", {
    type: "bar",
    data: { labels: single.map((r) => r.label), datasets: [{ label: "Cancelled", data: single.map((r) => -Math.abs(height(r.amount))), backgroundColor: chartsAvailable ? hatch(colour("returns")) : "", borderColor: colour("returns"), borderWidth: 1, maxBarThickness: 28 }] },
    options: chartOptions((set, index) => `${money(single[index]?.amount, single[index]?.currency)} in ${count(single[index]?.documents)} documents`),
  }, `Cancelled amount by ${grain}; the list of periods has the figures.`);
}

// ---------------------------------------------------------------------------------------------------- loyal customers

const customerName = (c) => c.name || `Customer ${c.key}`;

async function loadLoyal(current) {
  const data = await api("/v1/customers/summary", { cancellations: byId("with-cancellations").checked ? "include" : "exclude" });
  if (!current()) return;
  const share = data.total_customers > 0 ? ` (${((100 * data.loyal_customers) / data.total_customers).toFixed(1)} %)` : "";
  fill(byId("loyal-stats"),
    stat("Customers", count(data.total_customers), "With a customer number."),
    stat("Loyal", count(data.loyal_customers) + share, "More than one order."),
    stat("Most orders", count(data.most_orders), "By a single customer."));
  fill(byId("loyal-table"), data.top.length
    ? table("Customers with most orders", [
      { head: "Customer", cell: (r) => linkButton(customerName(r), `loyal:${r.id}`, () => { byId("search").value = r.key; run("lookup"); chooseCustomer(r.id, true); }) },
      { head: "Orders", numeric: true, cell: (r) => count(r.orders) },
    ], data.top)
    : empty("No customer has ordered more than once yet."));
}

// ---------------------------------------------------------------------------------------------------- customer look-up

const search = { timer: 0, asked: 0 };

function searchSoon() {
  clearTimeout(search.timer);
  search.timer = setTimeout(() => run("lookup"), 180);
}

async function runSearch() {
  const text = byId("search").value.trim();
  const asked = ++search.asked;
  const data = await api("/v1/customers", { search: text, limit: RESULTS });
  if (asked !== search.asked) return;
  const status = data.items.length === 0 ? (text ? "No customer matches." : "No customers yet.")
    : !text ? `${data.next ? `The first ${data.items.length} customers` : "All customers"}; type to search.`
    : data.next ? `First ${data.items.length} matches; type more to narrow down.`
    : `${data.items.length} ${data.items.length === 1 ? "match" : "matches"}.`;
  if (byId("results-status").textContent !== status) byId("results-status").textContent = status;
  fill(byId("results"), ...data.items.map((c) => el("li", {},
    el("button", { type: "button", key: `result:${c.id}`, "aria-pressed": String(c.id === state.customer), onclick: () => chooseCustomer(c.id, true) },
      el("span", { class: "who", text: c.name ? `${c.key} ${c.name}` : c.key }),
      el("span", { class: "meta", text: `${c.country ?? ""} · ${count(c.orders)} ${c.orders === 1 ? "order" : "orders"}` })))));
}

function chooseCustomer(id, focus) {
  state.customer = id;
  state.orderCursors = [null];
  for (const button of byId("results").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.key === `result:${id}`));
  run("customer").then(() => {
    if (!focus) return;
    const box = byId("customer");
    box.focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" });
  });
}

async function loadCustomer(current) {
  const id = state.customer;
  if (!id) return;
  const base = `/v1/customers/${encodeURIComponent(id)}`;
  const cursor = state.orderCursors[state.orderCursors.length - 1];
  const [spend, orders, returns] = await Promise.all([
    api(`${base}/spend`), api(`${base}/orders`, { limit: ORDERS_PER_PAGE, cursor }), api(`${base}/returns`, { limit: 50 }),
  ]);
  if (!current()) return;
  const customer = spend.customer;
  const turn = (change) => () => { change(); run("customer"); };
  const older = el("button", { type: "button", key: "older", text: "Older", onclick: turn(() => state.orderCursors.push(orders.next)) });
  const newer = el("button", { type: "button", key: "newer", text: "Newer", onclick: turn(() => state.orderCursors.pop()) });
  older.disabled = orders.next === null || orders.next === undefined;
  newer.disabled = state.orderCursors.length === 1;
  const figures = spend.spend.length ? spend.spend : [];
  fill(byId("customer"),
    el("h3", { class: "name", text: `${customerName(customer)}${customer.name ? ` (${customer.key})` : ""}${customer.country ? `, ${customer.country}` : ""}` }),
    el("dl", { class: "stats", id: "customer-spend" },
      ...(figures.length ? figures : [{ gross: "0.00", returns: "0.00", net: "0.00", orders: 0, currency: state.currency ?? "" }]).flatMap((s) => [
        stat("Gross spend", money(s.gross, s.currency), "Bought, before returns."),
        stat("Returns", money(s.returns, s.currency), "Brought back or cancelled."),
        stat("Net spend", money(s.net, s.currency), "Gross less returns."),
        stat("Orders", count(s.orders), "Invoices with a sold line."),
      ]),
      stat("Last order", instant(spend.last_order_at), null)),
    el("h3", { text: "Invoices, newest first" }),
    el("div", { class: "scroll", role: "region", "aria-label": "Invoices of the customer", tabindex: "0", key: "orders" }, orders.items.length
      ? table("Invoices of the customer", [
        { head: "Invoice", once: true, cell: (r) => invoiceButton(r, "order") },
        { head: "When", once: true, cell: (r) => instant(r.occurred_at) },
        { head: "Items", cut: true, wideOnly: true, cell: (r) => r.items_purchased },
        { head: "Quantity", numeric: true, cell: (r) => count(r.quantity) },
        { head: "Amount", numeric: true, cell: (r) => money(r.amount, r.currency) },
      ], orders.items)
      : empty("No invoices.")),
    el("div", { class: "pager" }, newer, older, el("span", { text: `Page ${state.orderCursors.length}. Amount and quantity include returned lines.` })),
    el("h3", { text: "Returned items, newest first" }),
    el("div", { class: "scroll", role: "region", "aria-label": "Returned items of the customer", tabindex: "0", key: "returns" }, returns.items.length
      ? table("Returned items of the customer", [
        { head: "Document", once: true, cell: (r) => invoiceButton(r, `return${r.product}${r.quantity}`) },
        { head: "When", once: true, wideOnly: true, cell: (r) => instant(r.occurred_at) },
        { head: "Product", cell: (r) => `${r.product} ${r.description ?? ""}` },
        { head: "Quantity", numeric: true, cell: (r) => count(r.quantity) },
        { head: "Total", numeric: true, cell: (r) => money(r.total, r.currency) },
        { head: "Likely sold on", once: true, cell: (r) => (r.likely_original ? invoiceButton(r.likely_original, `original${r.invoice}${r.product}`) : "Not found") },
      ], returns.items)
      : empty("Nothing returned.")),
    el("p", { class: "caption", text: `${returns.next ? "The latest 50 are shown. " : ""}Likely sold on: the customer's latest earlier invoice of the same product with enough units left. It is a suggestion; the data names no original.` }));
}

// ----------------------------------------------------------------------------------------------------- invoice detail

async function openInvoice(id, number) {
  const dialog = byId("invoice");
  byId("invoice-title").textContent = `Invoice ${number}`;
  const body = byId("invoice-body");
  fill(body, empty("Loading"));
  if (!dialog.open) dialog.showModal();
  try {
    const data = await api(`/v1/invoices/${encodeURIComponent(id)}`);
    const words = { price_zero: "price 0", no_description: "no description" };
    fill(body,
      el("dl", { class: "stats" },
        stat("When", instant(data.occurred_at)),
        stat("Customer", data.customer ? customerName(data.customer) : "Anonymous"),
        stat("Country", data.country ?? "–"),
        ...data.totals.flatMap((t) => [
          stat("Gross", money(t.gross, t.currency)),
          isZero(t.returns) ? null : stat("Returns", money(t.returns, t.currency)),
          isZero(t.adjustments) ? null : stat("Adjustments", money(t.adjustments, t.currency)),
        ])),
      el("div", { class: "scroll", role: "region", "aria-label": "Lines of the invoice", tabindex: "0" }, table("Lines of the invoice", [
        { head: "Line", cell: (r) => String(r.line_no) },
        { head: "Product", cell: (r) => `${r.product} ${r.description ?? ""}` },
        { head: "Quantity", numeric: true, cell: (r) => count(r.quantity) },
        { head: "Unit price", numeric: true, cell: (r) => grouped(r.unit_price) },
        { head: "Total", numeric: true, cell: (r) => grouped(r.total) },
        { head: "Counts as", cell: (r) => [r.kind === "gross" ? "sale" : r.kind, ...(r.flags ?? []).map((f) => words[f] ?? f)].join(", ") },
      ], data.lines)));
  } catch (problem) {
    fill(body, el("p", { class: "error", text: `Could not load the invoice. ${problem.message}` }));
  }
}

// --------------------------------------------------------------------------------------------------------- quarantine

async function loadQuarantine() {
  const data = await api("/v1/quarantine", { limit: 10 });
  const reason = (r) => (typeof r === "string" ? r : [r.field, r.message ?? r.rule].filter(Boolean).join(": "));
  const shorten = (text) => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
  const container = byId("quarantine-table");
  const open = new Set([...container.querySelectorAll("details[open]")].map((d) => d.dataset.id));
  fill(container, data.items.length
    ? table("Latest quarantined lines", [
      { head: "First seen", once: true, cell: (r) => instant(r.first_seen) },
      { head: "Feed", cell: (r) => r.feed, wideOnly: true },
      { head: "Reasons", cell: (r) => {
        const details = el("details", { "data-id": r.id }, el("summary", { key: `raw:${r.id}`, text: "As received" }),
          el("pre", { text: r.encoding === "base64" ? `base64: ${shorten(r.bytes)}` : shorten(r.bytes) }));
        details.open = open.has(r.id);
        return el("div", {}, ...r.reasons.map((one) => el("div", { text: reason(one) })), details);
      } },
      { head: "Position", wideOnly: true, cell: (r) => el("code", { text: r.position }) },
    ], data.items)
    : empty("Nothing is quarantined."));
}

// -------------------------------------------------------------------------------------------------------- live figures

const live = { source: null, attempt: 0, timer: 0, events: 0, rates: [], lastRate: null, processRate: null, lag: null, retryAt: 0 };

function showConnection(kind, text) {
  const pill = byId("connection");
  pill.dataset.state = kind;
  if (pill.textContent !== text) pill.textContent = text;
}

function connect() {
  clearTimeout(live.timer);
  live.source?.close();
  const source = new EventSource("/v1/live");
  live.source = source;
  source.onopen = () => {
    live.attempt = 0;
    showConnection("live", "Live");
    showCountdown();
    refreshSoon();
  };
  source.onerror = () => { if (live.source === source) disconnected(); };
  source.addEventListener("figures", (event) => {
    let figures;
    try { figures = JSON.parse(event.data); } catch { return; }
    live.events += 1;
    totals.native = figures.totals ?? totals.native;
    live.lastRate = figures.accept_rate_per_second;
    live.lag = figures.lag;
    showTotals();
    showLive();
    showAsOf(figures.at);
    refreshSoon();
  });
}

function disconnected() {
  live.source?.close();
  live.source = null;
  const wait = BACKOFF_MS[Math.min(live.attempt, BACKOFF_MS.length - 1)] * (0.8 + 0.4 * Math.random());
  live.attempt += 1;
  live.retryAt = Date.now() + wait;
  showConnection("disconnected", "Disconnected; figures may be old");
  showCountdown();
  clearTimeout(live.timer);
  live.timer = setTimeout(connect, wait);
}

/** Beside the spoken state, not in it: a screen reader should not hear a countdown. */
function showCountdown() {
  const seconds = Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1000));
  byId("countdown").textContent = live.source || !live.retryAt ? "" : `Trying again in ${seconds} s`;
}

function showAsOf(at) {
  const node = byId("as-of");
  node.textContent = at ? at.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/, "$1 $2 UTC") : "–";
  if (at) node.dateTime = at;
}

function showLive() {
  fill(byId("live-stats"),
    stat("Accepted / s", rate(live.lastRate), "Lines taken in."),
    stat("Lag", count(live.lag), "Lines stored, not yet counted."),
    stat("Processed / s", rate(live.processRate), "Lines into the figures."),
    stat("Oldest waiting", live.oldest === undefined ? "–" : `${live.oldest.toFixed(1)} s`, "Age of the first of them."));
}

function showSpark() {
  live.rates.push(typeof live.lastRate === "number" ? live.lastRate : 0);
  if (live.rates.length > 120) live.rates.shift();
  const top = Math.max(1, ...live.rates);
  const points = live.rates.map((r, i) => `${(240 - 2 * (live.rates.length - 1 - i)).toFixed(0)},${(46 - (44 * r) / top).toFixed(1)}`);
  byId("spark").querySelector("polyline").setAttribute("points", points.join(" "));
  byId("spark-caption").textContent = `Accepted lines per second, last two minutes (peak ${rate(Math.max(0, ...live.rates))})`;
}

async function loadStatus() {
  const data = await api("/v1/status");
  live.lastRate = data.accept_rate_per_second;
  live.processRate = data.process_rate_per_second;
  live.lag = data.feeds.reduce((n, f) => n + f.lag, 0);
  live.oldest = Math.max(0, ...data.feeds.map((f) => f.oldest_unprocessed_seconds));
  showLive();
  const names = { received: "Received", distinct: "Distinct", duplicates: "Duplicates", quarantined: "Quarantined", parked: "Parked", superseded: "Superseded", conflicting: "Conflicting" };
  fill(byId("live-counts"), ...Object.entries(names).filter(([name]) => data.totals?.[name] !== undefined)
    .flatMap(([name, label]) => [el("dt", { text: label }), el("dd", { text: count(data.totals[name]) })]));
  const hours = Math.floor(data.uptime_seconds / 3600), minutes = Math.floor((data.uptime_seconds % 3600) / 60);
  byId("build").textContent = `Tillstream ${data.version}, up ${hours} h ${minutes} min. Position ${data.position}`;
}

// --------------------------------------------------------------------------------------------------- panels, refreshing

const panels = {
  totals: loadTotals, time: loadTime, live: loadStatus, products: loadProducts, cancelled: loadCancelled, loyal: loadLoyal,
  lookup: runSearch, customer: loadCustomer, quarantine: loadQuarantine,
};
const refresh = { running: false, wanted: false, lastAt: 0, timer: 0 };
const turns = {};

function panelError(name, problem) {
  const node = byId(`${name}-error`);
  node.hidden = !problem;
  if (problem) node.textContent = `These figures could not be read and may be old. ${problem.message}`;
}

/** Loads one panel; a failure is shown in it. Of loads that overlap, only the latest shows anything. */
async function run(name) {
  const turn = (turns[name] = (turns[name] ?? 0) + 1);
  try {
    await panels[name](() => turn === turns[name]);
    if (turn === turns[name]) panelError(name, null);
  } catch (problem) {
    if (turn === turns[name]) panelError(name, problem);
  }
}

/** Reads all panels again, at most once per REFRESH_MS, never twice at a time, not while the page is hidden. */
function refreshSoon() {
  refresh.wanted = true;
  if (refresh.running || refresh.timer || document.hidden) return;
  const wait = Math.max(0, refresh.lastAt + REFRESH_MS - Date.now());
  refresh.timer = setTimeout(async () => {
    refresh.timer = 0;
    refresh.running = true;
    refresh.wanted = false;
    refresh.lastAt = Date.now();
    await Promise.all(Object.keys(panels).map(run));
    refresh.running = false;
    if (refresh.wanted) refreshSoon();
  }, wait);
}

async function loadCountries() {
  const seen = new Set();
  let cursor = null;
  for (let pages = 0; pages < 10; pages += 1) {
    const data = await api("/v1/customers", { limit: 1000, cursor });
    for (const customer of data.items) if (customer.country) seen.add(customer.country);
    cursor = data.next;
    if (!cursor) break;
  }
  byId("countries").replaceChildren(...[...seen].sort().map((name) => el("option", { value: name })));
}

// ------------------------------------------------------------------------------------------------------------- wiring

function wire() {
  if (!chartsAvailable) document.documentElement.classList.add("no-charts");
  showDrill();
  showTotals();
  showLive();

  const form = byId("filter");
  const applyFilter = (filter) => {
    state.filter = filter;
    state.crumbs = [];
    showDrill();
    for (const name of ["time", "products", "cancelled"]) run(name);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { from, to, country } = form.elements;
    to.setCustomValidity(from.value && to.value && to.value < from.value ? "The end is before the start." : "");
    if (form.reportValidity()) applyFilter({ from: from.value, to: to.value, country: country.value.trim() });
  });
  form.addEventListener("input", () => form.elements.to.setCustomValidity(""));
  form.addEventListener("reset", () => applyFilter({ from: "", to: "", country: "" }));
  form.elements.country.addEventListener("focus", () => { loadCountries().catch(() => {}); }, { once: true });

  byId("exclude").addEventListener("change", () => run("products"));
  byId("with-cancellations").addEventListener("change", () => run("loyal"));
  byId("search").addEventListener("input", searchSoon);
  byId("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    clearTimeout(search.timer);
    const pick = () => {
      const first = byId("results").querySelector("button");
      if (event.key === "Enter") first?.click();
      else first?.focus();
    };
    run("lookup").then(pick);
  });
  byId("results").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...byId("results").querySelectorAll("button")];
    const next = buttons.indexOf(document.activeElement) + step;
    event.preventDefault();
    (next < 0 ? byId("search") : buttons[Math.min(next, buttons.length - 1)]).focus();
  });
  byId("invoice-close").addEventListener("click", () => byId("invoice").close());

  document.addEventListener("visibilitychange", () => { if (!document.hidden) { if (!live.source) connect(); refreshSoon(); } });
  window.addEventListener("online", () => { if (!live.source) connect(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const name of ["time", "products", "cancelled"]) run(name); });
  setInterval(showSpark, 1000);
  setInterval(() => { if (!document.hidden && live.source) run("live"); }, STATUS_MS);
  setInterval(showCountdown, 1000);
  connect();
  refreshSoon();
}

wire();
