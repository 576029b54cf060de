// Total sales. A live event only says that there is something to read: all figures are of one position.
import { byId, el, setFigure } from "./dom.js";
import { offerCurrencies, overview, scope } from "./filter.js";
import { count, money } from "./format.js";
import { runFiltered } from "./refresh.js";

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

const totals = { list: [], spokenAt: 0, blocks: new Map() };

export function showTotals() {
  const container = byId("totals");
  const { list } = totals;
  const most = list.reduce((best, t) => (!best || t.orders > best.orders ? t : best), null);
  // The charts may have come before their currency was known.
  if (offerCurrencies(list.map((t) => t.currency), most?.currency ?? null)) runFiltered();
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
      setFigure(block.values[name], total.none ? "–" : money(total[name], total.currency));
    }
    block.captions.gross.textContent = total.none
      ? FIGURES[0][2]
      : `${FIGURES[0][2]} ${count(total.orders)} orders, ${count(total.units)} units.`;
    block.captions.average.textContent = total.none
      ? FIGURES[5][2]
      : `${FIGURES[5][2]} ${count(total.orders)} orders.`;
  }
  speakTotals();
}

function speakTotals() {
  const now = Date.now();
  if (now - totals.spokenAt < SPOKEN_MS) return;
  const said = ({ net, gross, returns, currency }) =>
    `Net sales ${money(net, currency)}, gross ${money(gross, currency)}, returns ${money(returns, currency)}.`;
  const text = totals.list.map(said).join(" ");
  const spoken = byId("totals-spoken");
  if (!text || spoken.textContent === text) return;
  spoken.textContent = text;
  totals.spokenAt = now;
}

export async function loadTotals(current) {
  const { totals: list } = await overview();
  if (!current()) return;
  scope("totals-scope");
  totals.list = list;
  showTotals();
}
