// The live connection, rates and lag.
import { api } from "./api.js";
import { byId, el, fill, stat } from "./dom.js";
import { count, rate } from "./format.js";
import { refreshSoon, run } from "./refresh.js";
import { state } from "./state.js";

const BACKOFF_MS = [1000, 2000, 4000, 8000, 15000, 30000];

const live = {
  source: null, attempt: 0, timer: 0, retryAt: 0, rates: [], lastRate: null, processRate: null, lag: null, oldest: null,
};

function showConnection(kind, text) {
  const pill = byId("connection");
  pill.dataset.state = kind;
  if (pill.textContent !== text) pill.textContent = text;
}

export function connect() {
  clearTimeout(live.timer);
  live.source?.close();
  const source = new EventSource("/v1/live");
  live.source = source;
  source.onopen = () => {
    live.attempt = 0;
    showConnection("live", "Live");
    showCountdown();
    refreshSoon();
  };
  source.onerror = () => { if (live.source === source) disconnected(); };
  source.addEventListener("figures", (event) => {
    let figures;
    try { figures = JSON.parse(event.data); } catch { return; }
    live.lastRate = figures.accept_rate_per_second;
    live.lag = figures.lag;
    showLive();
    showAsOf(figures.at);
    refreshSoon();
  });
}

function disconnected() {
  live.source?.close();
  live.source = null;
  const wait = BACKOFF_MS[Math.min(live.attempt, BACKOFF_MS.length - 1)] * (0.8 + 0.4 * Math.random());
  live.attempt += 1;
  live.retryAt = Date.now() + wait;
  showConnection("disconnected", "Disconnected; figures may be old");
  showCountdown();
  clearTimeout(live.timer);
  live.timer = setTimeout(connect, wait);
}

/** Beside the spoken state, not in it: a screen reader should not hear a countdown. */
export function showCountdown() {
  const seconds = Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1000));
  byId("countdown").textContent = live.source || !live.retryAt ? "" : `Trying again in ${seconds} s`;
}

function showAsOf(at) {
  const node = byId("as-of");
  node.textContent = at ? at.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/, "$1 $2 UTC") : "–";
  if (at) node.dateTime = at;
}

export function showLive() {
  const oldest = Number.isFinite(live.oldest) ? `${live.oldest.toFixed(1)} s` : "–";
  fill(byId("live-stats"),
    stat("Accepted / s", rate(live.lastRate), "Lines taken in."),
    stat("Lag", count(live.lag), "Lines stored, not yet counted."),
    stat("Processed / s", rate(live.processRate), "Lines into the figures."),
    stat("Oldest waiting", oldest, "Age of the first of them."));
}

export function showSpark() {
  live.rates.push(Number.isFinite(live.lastRate) ? live.lastRate : 0);
  if (live.rates.length > 120) live.rates.shift();
  const top = Math.max(1, ...live.rates);
  const x = (i) => (240 - 2 * (live.rates.length - 1 - i)).toFixed(0);
  const points = live.rates.map((r, i) => `${x(i)},${(46 - (44 * r) / top).toFixed(1)}`);
  byId("spark").querySelector("polyline").setAttribute("points", points.join(" "));
  const peak = rate(Math.max(0, ...live.rates));
  byId("spark-caption").textContent = `Accepted lines per second, last two minutes (peak ${peak})`;
}

const COUNTS = [
  ["received", "Received"], ["distinct", "Distinct"], ["duplicates", "Duplicates"], ["quarantined", "Quarantined"],
  ["parked", "Parked"], ["superseded", "Superseded"], ["conflicting", "Conflicting"],
];

/** "up 3 h 5 min. ", nothing when it is not known. */
function upTime(seconds) {
  if (!Number.isFinite(seconds)) return "";
  return `up ${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min. `;
}

export async function loadStatus() {
  const data = await api("/v1/status");
  if (state.hasProof !== data.proof) {
    state.hasProof = data.proof;
    run("proof");
  }
  live.lastRate = data.accept_rate_per_second;
  live.processRate = data.process_rate_per_second;
  const feeds = data.feeds ?? [];
  live.lag = feeds.reduce((n, f) => n + f.lag, 0);
  const ages = feeds.map((f) => f.oldest_unprocessed_seconds).filter(Number.isFinite);
  live.oldest = ages.length || !feeds.length ? Math.max(0, ...ages) : null;
  showLive();
  fill(byId("live-counts"), ...COUNTS.filter(([name]) => data.totals?.[name] !== undefined)
    .flatMap(([name, label]) => [el("dt", { text: label }), el("dd", { text: count(data.totals[name]) })]));
  byId("build").textContent = `Tillstream ${data.version}, ${upTime(data.uptime_seconds)}Position ${data.position}`;
}

/** Connects unless connected, without waiting for the next try. */
export function connectNow() {
  if (!live.source) connect();
}

export const isConnected = () => live.source !== null;
