// The last proof: every table computed a second time from the log, and its control totals.
import { api } from "./api.js";
import { byId, el, fill, stat, table } from "./dom.js";
import { count, instant } from "./format.js";
import { state } from "./state.js";

const PARTS = ["distinct", "duplicates", "quarantined", "parked"];
const FOUND = 5; // differences that are named here; the report has more
const SPLIT = ["current", "superseded", "conflicting"];

const total = (row, names) => names.reduce((sum, name) => sum + BigInt(row[name]), 0n);
const mark = (isGood) => el("span", { class: isGood ? "good" : "bad", text: isGood ? "✓ equal" : "✗ differs" });

/** received = distinct + duplicates + quarantined + parked; distinct = current + superseded + conflicting. */
const adds = (row) => BigInt(row.received) === total(row, PARTS) && BigInt(row.distinct) === total(row, SPLIT);

export async function loadProof(current) {
  const panel = byId("proof-panel");
  if (!state.hasProof) {
    panel.hidden = true;
    return;
  }
  const data = await api("/v1/proof");
  if (!current()) return;
  panel.hidden = false;
  const { figures = [], found = [] } = data;
  const agreeing = figures.filter((figure) => figure.agrees).length;
  const same = data.differences === 0;
  byId("proof-verdict").textContent = same ? "✓ No difference" : `✗ ${count(data.differences)} differences`;
  byId("proof-verdict").className = same ? "good" : "bad";
  fill(byId("proof-stats"),
    stat("Proved at", instant(data.proved_at)), stat("Events", count(data.events)), stat("Tables", count(data.tables)),
    stat("Rows", count(data.rows)), stat("Seconds", count(data.seconds)),
    stat("Figures that agree", `${count(agreeing)} of ${count(figures.length)}`));
  const number = (name, head) => ({ head, numeric: true, cell: (r) => count(r[name]) });
  fill(byId("proof-table"), table("Control totals of the proof", [
    { head: "Feed", cell: (r) => r.feed },
    { head: "Adds up", once: true, cell: (r) => mark(adds(r)) },
    number("received", "Received"), number("distinct", "= Distinct"), number("duplicates", "+ Duplicates"),
    number("quarantined", "+ Quarantined"), number("parked", "+ Parked"),
  ], data.feeds));
  const named = found.slice(0, FOUND).map((one) =>
    el("li", { text: [one.table, one.key, one.kind, one.text].filter(Boolean).join(", ") }));
  fill(byId("proof-found"), ...named);
  const behind = data.records_behind > 0 ? ` ${count(data.records_behind)} records were not in the tables then.` : "";
  byId("proof-position").textContent = `Up to position ${data.position}.${behind}`;
}
