// The last proof: every table computed a second time from the log, and its control totals.
import { api } from "./api.js";
import { byId, el, fill, stat, table } from "./dom.js";
import { count, instant } from "./format.js";
import { state } from "./state.js";

const PARTS = ["distinct", "duplicates", "quarantined", "parked"];
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
  const same = data.differences === 0;
  byId("proof-verdict").textContent = same ? "✓ No difference" : `✗ ${count(data.differences)} differences`;
  byId("proof-verdict").className = same ? "good" : "bad";
  fill(byId("proof-stats"),
    stat("Proved at", instant(data.at)), stat("Events", count(data.events)), stat("Tables", count(data.tables)),
    stat("Rows", count(data.rows)), stat("Seconds", count(data.seconds)));
  const number = (name, head) => ({ head, numeric: true, cell: (r) => count(r[name]) });
  fill(byId("proof-table"), table("Control totals of the proof", [
    { head: "Feed", cell: (r) => r.feed },
    { head: "Adds up", once: true, cell: (r) => mark(adds(r)) },
    number("received", "Received"), number("distinct", "= Distinct"), number("duplicates", "+ Duplicates"),
    number("quarantined", "+ Quarantined"), number("parked", "+ Parked"),
  ], data.feeds));
  byId("proof-position").textContent = `Up to position ${data.position}.`;
}
