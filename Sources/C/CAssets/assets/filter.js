// The filter of dates and country.
import { api } from "./api.js";
import { byId, el } from "./dom.js";
import { state } from "./state.js";

/** Whether anything is left out. */
export const isFiltered = () => Object.values(state.filter).some((value) => value !== "");

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
  state.currency = currencies.includes(state.chosenCurrency) ? state.chosenCurrency : most ?? before;
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
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { from, to, country } = form.elements;
    to.setCustomValidity(from.value && to.value && to.value < from.value ? "The end is before the start." : "");
    if (form.reportValidity()) applyFilter({ from: from.value, to: to.value, country: country.value.trim() });
  });
  form.addEventListener("input", () => form.elements.to.setCustomValidity(""));
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
