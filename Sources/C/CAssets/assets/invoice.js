// One invoice, in a dialog.
import { api } from "./api.js";
import { byId, el, empty, fill, linkButton, stat, table } from "./dom.js";
import { count, customerName, grouped, instant, isZero, money } from "./format.js";

export const invoiceButton = (row, place) =>
  linkButton(row.number, `${place}:${row.invoice}`, () => openInvoice(row.invoice, row.number));

const STATUSES = { failed: "payment failed" };
const FLAGS = {
  corrected: "total corrected", receipt_differs: "receipt differs", status_order: "statuses out of order",
};

/** Only what is closed counts; nothing is said of that. */
export const statusLabel = (row) =>
  (row.status === "closed" ? null : el("span", { class: "hint", text: ` ${STATUSES[row.status] ?? row.status}` }));

async function openInvoice(id, number) {
  const dialog = byId("invoice");
  byId("invoice-title").textContent = `Invoice ${number}`;
  const body = byId("invoice-body");
  fill(body, empty("Loading"));
  if (!dialog.open) dialog.showModal();
  try {
    const data = await api(`/v1/invoices/${encodeURIComponent(id)}`);
    const words = { zero_price: "price 0", no_description: "no description" };
    const kind = (line) => (line.kind === "gross" ? "sale" : line.kind);
    const countsAs = (line) => [kind(line), ...(line.flags ?? []).map((f) => words[f] ?? f)].join(", ");
    fill(body,
      el("dl", { class: "stats" },
        stat("When", instant(data.occurred_at)),
        stat("Customer", data.customer ? customerName(data.customer) : "Anonymous"),
        stat("Country", data.country ?? "–"),
        data.status === "closed" ? null
          : stat("Status", STATUSES[data.status] ?? data.status, "It counts in no figure."),
        data.flags.length ? stat("Note", data.flags.map((f) => FLAGS[f] ?? f.replace(/_/g, " ")).join(", ")) : null,
        data.flags.includes("corrected") ? stat("Reported total", grouped(data.reported_total)) : null,
        ...data.totals.flatMap((t) => [
          stat("Gross", money(t.gross, t.currency)),
          isZero(t.returns) ? null : stat("Returns", money(t.returns, t.currency)),
          isZero(t.adjustments) ? null : stat("Adjustments", money(t.adjustments, t.currency)),
        ])),
      el("div", { class: "scroll", role: "region", "aria-label": "Lines of the invoice", tabindex: "0" },
        table("Lines of the invoice", [
          { head: "Line", cell: (r) => String(r.line_no ?? "–") },
          { head: "Product", cell: (r) => `${r.product} ${r.description ?? ""}` },
          { head: "Quantity", numeric: true, cell: (r) => count(r.quantity) },
          { head: "Unit price", numeric: true, cell: (r) => grouped(r.unit_price) },
          { head: "Total", numeric: true, cell: (r) => grouped(r.total) },
          { head: "Counts as", cell: countsAs },
        ], data.lines)));
  } catch (problem) {
    fill(body, el("p", { class: "error", text: `Could not load the invoice. ${problem.message}` }));
  }
}
