// Top products and cancelled orders.
import { chartOptions, chartsAvailable, colour, draw, hatch } from "./charts.js";
import { byId, empty, fill, stat, table } from "./dom.js";
import { cancellationGrain, overview, scope } from "./filter.js";
import { count, height, instant, money, moneyList, period } from "./format.js";
import { invoiceButton } from "./invoice.js";
import { state } from "./state.js";

export async function loadProducts(current) {
  const { products: data } = await overview();
  if (!current()) return;
  scope("products-scope");
  const rows = data.items;
  fill(byId("products-table"), rows.length
    ? table("Top 10 products by gross sales", [
      { head: "Rank", cell: (r) => String(r.rank ?? "–") },
      { head: "Code", once: true, cell: (r) => r.code },
      { head: "Product", cut: true, cell: (r) => r.description || "No description" },
      { head: "Units", numeric: true, wideOnly: true, cell: (r) => count(r.units) },
      { head: "Gross sales", numeric: true, cell: (r) => money(r.gross, r.currency) },
    ], rows)
    : empty("No products sold in this range."));
  const several = rows.some((r) => r.currency !== rows[0].currency);
  const single = rows.filter((r) => !several || r.currency === state.currency);
  byId("products-chart").parentElement.hidden = single.length === 0;
  const cut = (text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);
  const named = single.map((r) => cut(`${r.rank}. ${r.description || r.code}`));
  const coded = single.map((r) => cut(`${r.rank}. ${r.code}`));
  draw("products-chart", {
    type: "bar",
    data: {
      labels: named,
      datasets: [{
        label: "Gross sales", data: single.map((r) => height(r.gross)),
        backgroundColor: colour("bar"), maxBarThickness: 16,
      }],
    },
    options: chartOptions((set, at) => `${single[at]?.code}: ${money(single[at]?.gross, single[at]?.currency)}`, {
      horizontal: true,
      tick(value) { return (this.chart.width < 480 ? coded : named)[value]; }, // a phone has no room for names
    }),
  }, "Top 10 products by gross sales; the table below has the figures.");
}

export async function loadCancelled(current) {
  const grain = cancellationGrain();
  const { cancelled: data } = await overview();
  if (!current()) return;
  scope("cancelled-scope");
  fill(byId("cancelled-stats"),
    stat("Documents", count(data.total.documents), "Cancellation documents (number begins with C)."),
    stat("Amount", moneyList(data.total.amounts), "Value of their lines."));
  const rows = data.items.map((item) => ({ ...item, ...period(grain, item.period) }));
  rows.sort((a, b) => (a.from < b.from ? -1 : 1));
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
    data: {
      labels: single.map((r) => r.label),
      datasets: [{
        label: "Cancelled", data: single.map((r) => -Math.abs(height(r.amount))),
        backgroundColor: chartsAvailable ? hatch(colour("returns")) : "", borderColor: colour("returns"),
        borderWidth: 1, maxBarThickness: 28,
      }],
    },
    options: chartOptions((set, index) => {
      const row = single[index];
      return `${money(row?.amount, row?.currency)} in ${count(row?.documents)} documents`;
    }),
  }, `Cancelled amount by ${grain}; the list of periods has the figures.`);
}
