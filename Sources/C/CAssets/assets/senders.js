// Who sends, and which of its numbered messages are missing.
import { api } from "./api.js";
import { byId, el, fill, table } from "./dom.js";
import { count, instant } from "./format.js";

const GAPS = 5;

function missing(row) {
  if (!row.complete_until) return "Not numbered";
  // Of a sender with too many gaps the lowest are not kept.
  const from = row.gaps_listed_from;
  const unlisted = from === null ? "" : `, more below no. ${count(from)}`;
  if (row.missing.length === 0 && !unlisted) return el("span", { class: "good", text: "✓ Nothing" });
  const more = row.missing.length > GAPS ? ", …" : "";
  const shown = row.missing.slice(0, GAPS).join(", ") + more;
  return el("span", { class: "bad", text: `✗ ${shown} (${count(row.missing_count)}${unlisted})` });
}

function until(row) {
  const end = row.complete_until;
  if (!end) return "–";
  return `${end.time ? `${instant(end.time)}, ` : ""}no. ${count(end.sequence)}`;
}

export async function loadSenders(current) {
  const data = await api("/v1/senders", { limit: 50 });
  if (!current()) return;
  byId("senders-panel").hidden = data.items.length === 0;
  const gaps = data.items.filter((r) => r.missing.length || r.gaps_listed_from !== null).length;
  byId("senders-scope").textContent = gaps
    ? `${count(gaps)} of ${count(data.items.length)} with gaps` : `${count(data.items.length)} without gaps`;
  fill(byId("senders-table"), table("Senders", [
    { head: "Sender", cell: (r) => (r.epoch === null ? r.name : `${r.name} (epoch ${r.epoch})`) },
    { head: "Feed", cell: (r) => r.feed, wideOnly: true },
    { head: "Records", numeric: true, cell: (r) => count(r.records) },
    { head: "Missing", cell: missing },
    { head: "Complete until", cell: until },
    { head: "Last seen", once: true, wideOnly: true, cell: (r) => instant(r.last_seen) },
    { head: "Clock offset", numeric: true, wideOnly: true,
      cell: (r) => (r.clock_offset === null ? "–" : `${r.clock_offset.toFixed(1)} s`) },
  ], data.items));
}
