// The latest quarantined lines, as received.
import { api } from "./api.js";
import { byId, el, empty, fill, table } from "./dom.js";
import { instant } from "./format.js";

export async function loadQuarantine() {
  const data = await api("/v1/quarantine", { limit: 10 });
  const reason = (r) => (typeof r === "string" ? r : [r.field, r.message ?? r.rule].filter(Boolean).join(": "));
  const shorten = (text) => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
  const container = byId("quarantine-table");
  const open = new Set([...container.querySelectorAll("details[open]")].map((d) => d.dataset.id));
  fill(container, data.items.length
    ? table("Latest quarantined lines", [
      { head: "First seen", once: true, cell: (r) => instant(r.first_seen) },
      { head: "Feed", cell: (r) => r.feed, wideOnly: true },
      { head: "Reasons", cell: (r) => {
        const details = el("details", { "data-id": r.id }, el("summary", { key: `raw:${r.id}`, text: "As received" }),
          el("pre", { text: r.encoding === "base64" ? `base64: ${shorten(r.bytes)}` : shorten(r.bytes) }));
        details.open = open.has(r.id);
        return el("div", {}, ...r.reasons.map((one) => el("div", { text: reason(one) })), details);
      } },
      { head: "Position", wideOnly: true, cell: (r) => el("code", { text: r.position }) },
    ], data.items)
    : empty("Nothing is quarantined."));
}
