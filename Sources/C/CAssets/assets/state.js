// What the page shows now, shared by the panels.

export const GRAINS = ["year", "quarter", "month", "week", "day"];

export const state = {
  filter: { from: "", to: "", country: "" },
  grain: "month",
  crumbs: [], // {grain, label, from, to}: what was drilled into, outermost first
  currency: null, // the one that charts show: what was chosen, else the one with most orders
  chosenCurrency: null,
  hasProof: false, // whether a proof has left a report
  customer: null, // id
  orderCursors: [null], // one per visited page, the last is shown
};
