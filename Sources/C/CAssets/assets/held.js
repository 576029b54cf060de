// Reference data, records that wait for it, and versions that contradict each other.
import { api } from "./api.js";
import { byId, el, fill, stat, table } from "./dom.js";
import { count, instant } from "./format.js";

const SHOWN = 5;
const NAMES = { customer: "Customers", store: "Stores", product: "Products" };

function part(title, content) {
  return [el("h3", { text: title }), el("div", { class: "scroll", role: "region", "aria-label": title, tabindex: "0" },
    content)];
}

const missing = (r) => r.missing.join(", ") + (r.missing_count > r.missing.length ? ", …" : "");

export async function loadHeld(current) {
  const [status, references, parked, conflicts] = await Promise.all([
    api("/v1/status"), api("/v1/references"), api("/v1/parked", { limit: SHOWN }),
    api("/v1/conflicts", { limit: SHOWN }),
  ]);
  if (!current()) return;
  byId("held-panel").hidden = !references.items.length && !parked.items.length && !conflicts.items.length;
  const known = (r) => stat(NAMES[r.entity] ?? r.entity, count(r.keys), `${count(r.versions)} records of ${r.source}.`);
  fill(byId("held-stats"),
    stat("Parked", count(status.totals.parked), "Wait for a reference record."),
    stat("Conflicting", count(status.totals.conflicting), "Lost against another of the same time."),
    ...references.items.map(known));
  const waiting = parked.items.length
    ? part("Parked, newest first", table("Parked records", [
      { head: "Since", once: true, cell: (r) => instant(r.first_seen) },
      { head: "Feed", cell: (r) => r.feed, wideOnly: true },
      { head: "Waits for", cell: (r) => el("span", { class: "breaks", text: missing(r) }) },
      { head: "Position", once: true, wideOnly: true, cell: (r) => el("code", { text: r.position }) },
    ], parked.items))
    : [];
  const lost = conflicts.items.length
    ? part("Conflicting versions", table("Conflicting versions", [
      { head: "What", cell: (r) => `${r.kind} ${r.id}${r.line ? `, line ${r.line}` : ""}` },
      { head: "Version time", once: true, cell: (r) => instant(r.version_at) },
      { head: "Lost", wideOnly: true, cell: (r) => el("code", { text: r.content_hash.slice(0, 12) }) },
      { head: "Current", wideOnly: true, cell: (r) => el("code", { text: (r.current_hash ?? "–").slice(0, 12) }) },
    ], conflicts.items))
    : [];
  fill(byId("held-lists"), ...waiting, ...lost);
}
