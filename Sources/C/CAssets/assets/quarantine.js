// Quarantined lines: how many break which rule, the latest as received, and judging them again.
import { api, post } from "./api.js";
import { byId, el, empty, fill, table, unfolded } from "./dom.js";
import { count, instant } from "./format.js";
import { refreshSoon, run } from "./refresh.js";

const ENTRIES = 10;
const RULES = 20;
const redriving = new Set();

const entries = (n) => `${count(n)} ${n === 1 ? "entry" : "entries"}`;
const reason = (r) => (typeof r === "string" ? r : [r.field, r.message ?? r.rule].filter(Boolean).join(": "));
const more = (n) => (n > 0 ? [el("div", { text: `and ${count(n)} more` })] : []);

/** The beginning of what was received. */
function received(r) {
  const head = r.bytes.slice(0, 400);
  const rest = head.length < r.bytes.length || !r.bytes_complete ? `… (${count(r.bytes_size)} bytes)` : "";
  return `${r.encoding === "base64" ? "base64: " : ""}${head}${rest}`;
}

function say(text, isBad) {
  const node = byId("quarantine-result");
  node.hidden = !text;
  node.className = isBad ? "error" : "done";
  node.textContent = text;
}

/** Sends the entries in again; `judge` reads what became of them, given the position to wait for. */
async function redrive(key, selection, judge) {
  if (redriving.has(key)) return;
  redriving.add(key);
  say("Judging again …", false);
  run("quarantine");
  try {
    let submitted = 0;
    let answer = { next: null };
    do {
      const more = answer.next === null ? selection : { ...selection, after: answer.next };
      answer = await post("/v1/quarantine/redrive", more);
      submitted += answer.submitted;
    } while (answer.next !== null);
    const result = await judge(answer.position, submitted);
    say(`${result.good ? "✓" : "✗"} ${result.text}`, !result.good);
  } catch (problem) {
    say(`✗ Not judged again. ${problem.message}`, true);
  }
  redriving.delete(key);
  await run("quarantine");
  if (document.activeElement === document.body) byId("quarantine-result").focus({ preventScroll: true });
  refreshSoon();
}

const redriveEntry = (row) => redrive(`entry:${row.id}`, { ids: [row.id] }, async (after) => {
  const entry = await api(`/v1/quarantine/${row.id}`, { after, wait_ms: 30000 });
  if (entry.resolved_at) return { good: true, text: `Entry ${row.id} is accepted by today's rules and counts now.` };
  return { good: false, text: `Entry ${row.id} is rejected again: ${entry.reasons.map(reason).join("; ")}` };
});

const redriveRule = (row) => redrive(`rule:${row.feed}:${row.rule}`, { feed: row.feed, rule: row.rule },
  async (after, submitted) => {
    const data = await api("/v1/quarantine/rules", { after, wait_ms: 30000 });
    const left = data.items.find((r) => r.feed === row.feed && r.rule === row.rule)?.entries ?? 0;
    const again = `${entries(submitted)} judged again for ${row.rule}`;
    return left === 0
      ? { good: true, text: `${again}; none is left.` }
      : { good: false, text: `${again}; ${entries(left)} still open.` };
  });

function button(key, label, action) {
  const busy = redriving.has(key);
  const node = el("button", {
    type: "button", key, text: busy ? "Judging …" : "Redrive", "aria-label": label, onclick: action,
  });
  // Not disabled: the focus stays where it is.
  if (busy) node.setAttribute("aria-disabled", "true");
  return node;
}

function rulesTable(rows) {
  return table("Open entries by rule", [
    { head: "Rule", cell: (r) => r.rule },
    { head: "Feed", cell: (r) => r.feed },
    { head: "Open", numeric: true, cell: (r) => count(r.entries) },
    { head: "Judge again", once: true, cell: (r) =>
      button(`rule:${r.feed}:${r.rule}`, `Redrive ${entries(r.entries)} of ${r.feed} that broke ${r.rule}`,
        () => redriveRule(r)) },
  ], rows);
}

function entriesTable(rows, open) {
  return table("Latest quarantined lines", [
    { head: "First seen", once: true, cell: (r) => instant(r.first_seen) },
    { head: "Feed", cell: (r) => r.feed, wideOnly: true },
    { head: "Reasons", cell: (r) => {
      const details = el("details", { "data-id": r.id }, el("summary", { key: `raw:${r.id}`, text: "As received" }),
        el("pre", { text: received(r) }));
      details.open = open.has(String(r.id));
      return el("div", {}, ...r.reasons.map((one) => el("div", { text: reason(one) })),
        ...more(r.reasons_count - r.reasons.length), details);
    } },
    { head: "Tries", numeric: true, wideOnly: true, cell: (r) => count(r.attempts) },
    { head: "Position", once: true, wideOnly: true, cell: (r) => el("code", { text: r.position }) },
    { head: "Judge again", once: true, cell: (r) => (r.resolved_at
      ? el("span", { text: "✓ Resolved", title: instant(r.resolved_at) })
      : button(`entry:${r.id}`, `Redrive entry ${r.id}`, () => redriveEntry(r))) },
  ], rows);
}

export async function loadQuarantine(current) {
  const state = byId("quarantine-resolved").checked ? "all" : "open";
  const [rules, list] = await Promise.all([
    api("/v1/quarantine/rules"),
    api("/v1/quarantine", { state, limit: ENTRIES }),
  ]);
  if (!current()) return;
  byId("quarantine-scope").textContent = rules.open ? `${entries(rules.open)} open` : "Nothing open";
  const shown = rules.items.slice(0, RULES);
  byId("quarantine-rules").hidden = shown.length === 0;
  fill(byId("quarantine-rules"), rulesTable(shown));
  const container = byId("quarantine-table");
  fill(container, list.items.length
    ? entriesTable(list.items, unfolded(container))
    : empty(state === "all" ? "Nothing is quarantined." : "Nothing waits in quarantine."));
}

export function wireQuarantine() {
  byId("quarantine-resolved").addEventListener("change", () => run("quarantine"));
}
