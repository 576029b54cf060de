// The dashboard. Reads the HTTP API only (/v1/openapi.json); no framework, no third party but Chart.js, which may be
// absent. This file ties the panels together.
import { chartsAvailable } from "./charts.js";
import { loadCustomer, runSearch, wireSearch } from "./customers.js";
import { byId } from "./dom.js";
import { loadHeld } from "./held.js";
import { wireFilter } from "./filter.js";
import { connect, connectNow, isConnected, loadStatus, showCountdown, showLive, showSpark } from "./live.js";
import { loadLoyal } from "./loyal.js";
import { loadCancelled, loadProducts } from "./products.js";
import { loadProof } from "./proof.js";
import { loadQuarantine, wireQuarantine } from "./quarantine.js";
import { CHARTS, FILTERED, panels, refreshSoon, run, runFiltered, slow } from "./refresh.js";
import { loadSenders } from "./senders.js";
import { state } from "./state.js";
import { loadTime, showDrill } from "./time.js";
import { loadTotals, showTotals } from "./totals.js";
import { loadTurnover } from "./turnover.js";

const STATUS_MS = 5000; // rate and lag without events; also notices a dead server

function wire() {
  if (!chartsAvailable) document.documentElement.classList.add("no-charts");
  Object.assign(panels, {
    totals: loadTotals, time: loadTime, live: loadStatus, products: loadProducts, cancelled: loadCancelled,
    loyal: loadLoyal, lookup: runSearch, customer: loadCustomer, quarantine: loadQuarantine,
    turnover: loadTurnover, senders: loadSenders, held: loadHeld, proof: loadProof,
  });
  for (const name of ["senders", "held", "proof"]) slow.add(name);
  showDrill();
  showTotals();
  showLive();

  wireFilter(() => {
    showDrill();
    // No sum has products by country: that is added up at each reading.
    for (const name of FILTERED) if (state.filter.country) slow.add(name); else slow.delete(name);
    runFiltered();
  });
  wireSearch();
  wireQuarantine();
  byId("exclude").addEventListener("change", runFiltered);
  byId("with-cancellations").addEventListener("change", runFiltered);
  byId("invoice-close").addEventListener("click", () => byId("invoice").close());

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    connectNow();
    refreshSoon();
  });
  window.addEventListener("online", connectNow);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => CHARTS.forEach(run));
  setInterval(showSpark, 1000);
  setInterval(() => { if (!document.hidden && isConnected()) run("live"); }, STATUS_MS);
  setInterval(showCountdown, 1000);
  connect();
  refreshSoon();
}

wire();
