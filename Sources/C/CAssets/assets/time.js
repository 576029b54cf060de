// Sales over time, with drill-down from years to days.
import { chartOptions, chartsAvailable, colour, draw, hatch } from "./charts.js";
import { byId, el, empty, fill, linkButton, table } from "./dom.js";
import { overview, scope, timeRange } from "./filter.js";
import { count, earlier, height, later, money, period, sum } from "./format.js";
import { runFiltered } from "./refresh.js";
import { GRAINS, state } from "./state.js";

function drillInto(entry) {
  const level = GRAINS.indexOf(state.grain);
  if (level === GRAINS.length - 1) return;
  state.crumbs.push({ label: entry.label, grain: state.grain, from: entry.from, to: entry.to });
  state.grain = GRAINS[level + 1];
  showDrill();
  runFiltered().then(() => {
    const box = byId("time-table");
    if (!box.contains(document.activeElement)) (box.querySelector("button") ?? box).focus({ preventScroll: true });
  });
}

function leaveTo(depth) {
  const left = state.crumbs[depth];
  state.crumbs.length = depth;
  if (left) state.grain = left.grain;
  showDrill();
  runFiltered();
}

export function showDrill() {
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
  const tooFine = (crumb) => crumb && GRAINS.indexOf(crumb.grain) >= GRAINS.indexOf(grain);
  while (tooFine(state.crumbs[state.crumbs.length - 1])) state.crumbs.pop();
  showDrill();
  runFiltered();
}

export async function loadTime(current) {
  const grain = state.grain;
  const range = timeRange();
  const { country } = state.filter;
  const { time: data } = await overview();
  if (!current()) return;
  scope("time-scope");
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
  const orders = single.reduce((n, r) => n + r.orders, 0);
  const foot = [several ? `Sum ${currency}` : "Sum", add("gross"), add("returns"), add("net"), count(orders)];
  fill(byId("time-table"), rows.length
    ? table("Sales over time", columns, single, foot)
    : empty(state.filter.from || state.filter.to || country ? "No sales in this range." : "No sales yet."));
  byId("time-chart").parentElement.hidden = rows.length === 0;
  drawTime(spaced(single, grain), grain, currency, canDrill);
}

const PERIODS_MAX = 4000; // eleven years of days

/** The rows with what lies between them: a period without sales has its place on the axis. */
function spaced(rows, grain) {
  if (rows.length < 2) return rows;
  const known = new Map(rows.map((r) => [period(grain, r.period).from, r]));
  const last = period(grain, rows[rows.length - 1].period).from;
  const all = [];
  let day = period(grain, rows[0].period).from;
  while (day <= last) {
    if (all.length === PERIODS_MAX) return rows;
    const { label, from, to } = period(grain, day);
    all.push(known.get(from) ?? { label });
    day = new Date(Date.parse(to) + 86400000).toISOString().slice(0, 10);
  }
  return all;
}

/** Gross up, returns (striped) down, net as a line. */
function drawTime(rows, grain, currency, canDrill) {
  const names = ["gross", "returns", "net"];
  const unit = currency ? ` in ${currency}` : "";
  const said = ["Gross", "Returns", "Net"];
  const titles = ["Gross", "Returns (striped)", "Net (line)"];
  draw("time-chart", {
    type: "bar",
    data: {
      labels: rows.map((r) => r.label),
      datasets: chartsAvailable ? [
        {
          label: titles[0], data: rows.map((r) => height(r.gross)), backgroundColor: colour("gross"),
          stack: "a", order: 2, maxBarThickness: 44,
        },
        {
          label: titles[1], data: rows.map((r) => -Math.abs(height(r.returns))),
          backgroundColor: hatch(colour("returns")), borderColor: colour("returns"), borderWidth: 1,
          stack: "a", order: 2, maxBarThickness: 44,
        },
        {
          label: titles[2], type: "line", data: rows.map((r) => height(r.net)), borderColor: colour("net"),
          backgroundColor: colour("surface"), borderWidth: 1.5, pointStyle: "rectRot",
          pointRadius: rows.length > 60 ? 0 : 4, order: 1, stack: "b",
        },
      ] : [],
    },
    options: chartOptions((set, index) => `${said[set]} ${money(rows[index]?.[names[set]], currency)}`, {
      legend: true,
      onClick: (event, hits) => {
        if (canDrill && hits.length && rows[hits[0].index]?.period) drillInto(rows[hits[0].index]);
      },
    }),
  }, `Sales by ${grain}${unit}: ${rows.filter((r) => r.period).length} periods; the table beside it has the figures.`);
}
