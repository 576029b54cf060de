// The filter of dates and country.
import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { earlier, later } from "./format.js";
import { state } from "./state.js";

/** Whether anything is left out. */
export const isFiltered = () => Object.values(state.filter).some((value) => value !== "");

/** The days of the panel of time: those of the filter and of what was drilled into. */
export function timeRange() {
  const last = state.crumbs[state.crumbs.length - 1];
  return { from: later(state.filter.from, last?.from), to: earlier(state.filter.to, last?.to) };
}

export function cancellationGrain() {
  const { from, to } = state.filter;
  if (!from) return "month";
  const days = (new Date(to || Date.now()) - new Date(from)) / 86400000;
  return days <= 62 ? "day" : "month";
}

let asked = { key: "", answer: null };

/** The figures of all filtered panels, of one position. Panels that are loaded together share one answer. */
export function overview() {
  const { from, to } = timeRange();
  const parameters = {
    ...state.filter, grain: state.grain, time_from: from, time_to: to, cancelled_grain: cancellationGrain(),
    currency: state.currency, exclude_non_products: byId("exclude").checked,
    cancellations: byId("with-cancellations").checked ? "include" : "exclude",
  };
  const key = JSON.stringify(parameters);
  if (asked.key !== key) {
    const answer = api("/v1/overview", parameters);
    asked = { key, answer };
    const done = () => { if (asked.answer === answer) asked = { key: "", answer: null }; };
    answer.then(done, done);
  }
  return asked.answer;
}

/** Says in the head of a panel which data it shows. */
export function scope(id) {
  const { from, to, country } = state.filter;
  const parts = [];
  if (from || to) parts.push(`${from || "start"} to ${to || "today"}`);
  if (country) parts.push(country);
  const node = byId(id);
  node.textContent = parts.length ? `Filtered: ${parts.join(", ")}` : "All data";
  node.dataset.filtered = String(parts.length > 0);
}

async function loadCountries() {
  const { items } = await api("/v1/countries", { limit: 1000 });
  byId("countries").replaceChildren(...items.map(({ country }) => el("option", { value: country })));
}

/**
 * Lets the currency of the charts be chosen while there are several; `most` is the one that nobody has to choose.
 * Returns whether it is another one now.
 */
export function offerCurrencies(currencies, most) {
  const before = state.currency;
  // What is shown stays while it is there: a chart does not change its currency by itself.
  state.currency = [state.chosenCurrency, before].find((name) => currencies.includes(name)) ?? most ?? before;
  const label = byId("currency-choice");
  const select = label.querySelector("select");
  label.hidden = currencies.length < 2;
  if ([...select.options].map((o) => o.value).join() !== currencies.join()) {
    select.replaceChildren(...currencies.map((name) => el("option", { value: name, text: name })));
  }
  if (document.activeElement !== select) select.value = state.currency ?? "";
  return before !== state.currency && (before !== null || currencies.length > 1);
}

/** `apply` runs after the filter has changed. */
export function wireFilter(apply) {
  const form = byId("filter");
  const applyFilter = (filter) => {
    state.filter = filter;
    state.crumbs = [];
    apply();
  };
  /** What is wrong with a country; empty when it is one. Other failures are shown by the panels. */
  const countryProblem = async (country) => {
    if (!country) return "";
    try {
      await api("/v1/sales/total", { country });
      return "";
    } catch (problem) {
      return problem.code === "parameter_invalid" ? problem.message : "";
    }
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { from, to, country } = form.elements;
    to.setCustomValidity(from.value && to.value && to.value < from.value ? "The end is before the start." : "");
    const name = country.value.trim();
    country.setCustomValidity(await countryProblem(name));
    if (form.reportValidity()) applyFilter({ from: from.value, to: to.value, country: name });
  });
  form.addEventListener("input", () => {
    form.elements.to.setCustomValidity("");
    form.elements.country.setCustomValidity("");
  });
  form.addEventListener("reset", () => {
    state.chosenCurrency = null;
    applyFilter({ from: "", to: "", country: "" });
  });
  form.elements.currency.addEventListener("change", (event) => {
    state.chosenCurrency = event.target.value;
    state.currency = event.target.value;
    apply();
  });
  form.elements.country.addEventListener("focus", () => { loadCountries().catch(() => {}); }, { once: true });
}
