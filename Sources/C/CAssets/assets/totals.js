// Total sales: changed by every live event, and read again after it when a filter is set.
import { api } from "./api.js";
import { byId, el, setFigure } from "./dom.js";
import { isFiltered, offerCurrencies, scope } from "./filter.js";
import { count, money } from "./format.js";
import { CHARTS, run } from "./refresh.js";
import { state } from "./state.js";

const SPOKEN_MS = 15000; // screen readers hear changed totals at most this often

const FIGURES = [
  ["gross", "Gross sales", "Quantity × price of all sold lines, before returns."],
  ["returns", "Returns", "Value of goods taken back or cancelled."],
  ["net", "Net sales", "Gross sales less returns."],
  ["adjustments", "Adjustments", "Bad debt, corrections and stock entries; in no other native figure."],
  ["reference", "Reference total",
    "Formula of the reference report: all lines whose number does not begin with C, adjustments included."],
  ["average", "Average order value", "Sales divided by the number of orders."],
];

/** What the page knows of the totals; `events` counts those that the live connection brought. */
export const totals = {
  native: [], reference: {}, average: {}, events: 0, spokenAt: 0, blocks: new Map(),
  ofAll: true, // what is shown leaves nothing out
};

export function showTotals() {
  const container = byId("totals");
  const list = totals.native;
  const most = list.reduce((best, t) => (!best || t.orders > best.orders ? t : best), null);
  // The charts may have come before their currency was known.
  if (offerCurrencies(list.map((t) => t.currency), most?.currency ?? null)) CHARTS.forEach(run);
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
        const id = list.length < 2 ? `total-${name}` : `total-${name}-${total.currency}`;
        block.values[name] = el("dd", { class: "value", id });
        block.captions[name] = el("dd", { class: "caption", text: what });
        return el("div", { class: name === "net" ? "strong" : null },
          el("dt", { text: label }), block.values[name], block.captions[name]);
      }));
      totals.blocks.set(total.currency, block);
      container.append(block.root);
    }
    for (const [name] of FIGURES) {
      const amount = name === "reference" ? totals.reference[total.currency]
        : name === "average" ? totals.average[total.currency]?.average
        : total[name];
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
  const said = ({ net, gross, returns, currency }) =>
    `Net sales ${money(net, currency)}, gross ${money(gross, currency)}, returns ${money(returns, currency)}.`;
  const text = totals.native.map(said).join(" ");
  const spoken = byId("totals-spoken");
  if (!text || spoken.textContent === text) return;
  spoken.textContent = text;
  totals.spokenAt = now;
}

/** What the live connection says of all data; what a filter shows is read again instead. */
export function takeLiveTotals(native) {
  totals.events += 1;
  if (totals.ofAll && !isFiltered()) totals.native = native ?? totals.native;
}

export async function loadTotals(current) {
  const eventsBefore = totals.events;
  const filter = { ...state.filter };
  const [native, reference, average] = await Promise.all([
    api("/v1/sales/total", { definition: "native", ...filter }),
    api("/v1/sales/total", { definition: "reference", ...filter }),
    api("/v1/sales/average-order-value", filter),
  ]);
  if (!current()) return;
  scope("totals-scope");
  // Of all data, an event that came meanwhile is newer.
  if (isFiltered() || !totals.ofAll || totals.events === eventsBefore) totals.native = native.totals;
  totals.ofAll = !isFiltered();
  totals.reference = Object.fromEntries(reference.totals.map((t) => [t.currency, t.sales]));
  totals.average = Object.fromEntries(average.items.map((t) => [t.currency, t]));
  showTotals();
}
