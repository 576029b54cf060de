// Customer look-up: search, and everything of the chosen one.
import { api } from "./api.js";
import { counterTables, loadCounters } from "./counters.js";
import { byId, el, empty, fill, stat, table } from "./dom.js";
import { count, customerName, instant, money } from "./format.js";
import { invoiceButton, statusLabel } from "./invoice.js";
import { run } from "./refresh.js";
import { state } from "./state.js";

const ORDERS_PER_PAGE = 10;
const RETURNS = 50;
const RESULTS = 24;

/** Numbers first, long keys behind the name. */
const called = ({ key, name }) => (!name ? key : key.length > 12 ? `${name} ${key}` : `${key} ${name}`);

const search = { timer: 0, asked: 0 };

function searchSoon() {
  clearTimeout(search.timer);
  search.timer = setTimeout(() => run("lookup"), 180);
}

export async function runSearch() {
  const text = byId("search").value.trim();
  const asked = ++search.asked;
  const data = await api("/v1/customers", { search: text, limit: RESULTS });
  if (asked !== search.asked) return;
  const status = data.items.length === 0 ? (text ? "No customer matches." : "No customers yet.")
    : !text ? `${data.next ? `The first ${data.items.length} customers` : "All customers"}; type to search.`
    : data.next ? `First ${data.items.length} matches; type more to narrow down.`
    : `${data.items.length} ${data.items.length === 1 ? "match" : "matches"}.`;
  if (byId("results-status").textContent !== status) byId("results-status").textContent = status;
  const button = (c) =>
    el("button", {
      type: "button", key: `result:${c.id}`, "aria-pressed": String(c.id === state.customer),
      onclick: () => chooseCustomer(c.id, true),
    },
    el("span", { class: "who", text: called(c) }),
    el("span", {
      class: "meta", text: `${c.country ?? ""} · ${count(c.orders)} ${c.orders === 1 ? "order" : "orders"}`,
    }));
  fill(byId("results"), ...data.items.map((c) => el("li", {}, button(c))));
}

export function chooseCustomer(id, focus) {
  state.customer = id;
  state.orderCursors = [null];
  for (const button of byId("results").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.key === `result:${id}`));
  }
  run("customer").then(() => {
    if (!focus) return;
    const box = byId("customer");
    box.focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" });
  });
}

export async function loadCustomer(current) {
  const id = state.customer;
  if (!id) return;
  const base = `/v1/customers/${encodeURIComponent(id)}`;
  const cursor = state.orderCursors[state.orderCursors.length - 1];
  const [spend, orders, returns, counters] = await Promise.all([
    api(`${base}/spend`),
    api(`${base}/orders`, { limit: ORDERS_PER_PAGE, cursor }),
    api(`${base}/returns`, { limit: RETURNS }),
    loadCounters(id),
  ]);
  if (!current()) return;
  const { customer } = spend;
  const number = customer.name ? ` (${customer.key})` : "";
  const country = customer.country ? `, ${customer.country}` : "";
  fill(byId("customer"),
    el("h3", { class: "name", text: customerName(customer) + number + country }),
    spendStats(spend),
    counterTables(counters),
    el("h3", { text: "Invoices, newest first" }),
    scrolling("Invoices of the customer", "orders",
      orders.items.length ? ordersTable(orders.items) : empty("No invoices.")),
    pager(orders.next),
    el("h3", { text: "Returned items, newest first" }),
    scrolling("Returned items of the customer", "returns",
      returns.items.length ? returnsTable(returns.items) : empty("Nothing returned.")),
    el("p", {
      class: "caption",
      text: `${returns.next ? `The latest ${RETURNS} are shown. ` : ""}Likely sold on: the customer's latest earlier `
        + "invoice of the same product with enough units left. It is a suggestion; the data names no original.",
    }));
}

/** Gross, returns, net and orders for each currency. */
function spendStats(spend) {
  const none = [{ gross: "0.00", returns: "0.00", net: "0.00", orders: 0, currency: state.currency ?? "" }];
  return el("dl", { class: "stats", id: "customer-spend" },
    ...(spend.spend.length ? spend.spend : none).flatMap((s) => [
      stat("Gross spend", money(s.gross, s.currency), "Bought, before returns."),
      stat("Returns", money(s.returns, s.currency), "Brought back or cancelled."),
      stat("Net spend", money(s.net, s.currency), "Gross less returns."),
      stat("Orders", count(s.orders), "Invoices with a sold line."),
    ]),
    stat("Last order", instant(spend.last_order_at), null));
}

const scrolling = (label, key, content) =>
  el("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0", key }, content);

function ordersTable(items) {
  return table("Invoices of the customer", [
    { head: "Invoice", once: true, cell: (r) => el("span", {}, invoiceButton(r, "order"), statusLabel(r)) },
    { head: "When", once: true, cell: (r) => instant(r.occurred_at) },
    { head: "Items", cut: true, wideOnly: true, cell: (r) => r.items_purchased },
    { head: "Quantity", numeric: true, cell: (r) => count(r.quantity) },
    { head: "Amount", numeric: true, cell: (r) => money(r.amount, r.currency) },
  ], items);
}

function returnsTable(items) {
  const original = (r) =>
    r.likely_original ? invoiceButton(r.likely_original, `original${r.invoice}${r.product}`) : "Not found";
  return table("Returned items of the customer", [
    { head: "Document", once: true, cell: (r) => invoiceButton(r, `return${r.product}${r.quantity}`) },
    { head: "When", once: true, wideOnly: true, cell: (r) => instant(r.occurred_at) },
    { head: "Product", cell: (r) => `${r.product} ${r.description ?? ""}` },
    { head: "Quantity", numeric: true, cell: (r) => count(r.quantity) },
    { head: "Total", numeric: true, cell: (r) => money(r.total, r.currency) },
    { head: "Likely sold on", once: true, cell: original },
  ], items);
}

/** Buttons to newer and older invoices; `next` is the cursor of the older ones. */
function pager(next) {
  const turn = (change) => () => { change(); run("customer"); };
  const button = (key, text, change) => el("button", { type: "button", key, text, onclick: turn(change) });
  const newer = button("newer", "Newer", () => state.orderCursors.pop());
  const older = button("older", "Older", () => state.orderCursors.push(next));
  older.disabled = next === null || next === undefined;
  newer.disabled = state.orderCursors.length === 1;
  const page = `Page ${state.orderCursors.length}. Amount and quantity include returned lines.`;
  return el("div", { class: "pager" }, newer, older, el("span", { text: page }));
}

/** Searching while typing; Enter chooses the first result, the arrow keys walk through them. */
export function wireSearch() {
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
}
