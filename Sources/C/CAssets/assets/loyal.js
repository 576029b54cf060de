// Loyal customers.
import { chooseCustomer } from "./customers.js";
import { byId, empty, fill, linkButton, stat, table } from "./dom.js";
import { isFiltered, overview, scope } from "./filter.js";
import { count, customerName } from "./format.js";
import { run } from "./refresh.js";

export async function loadLoyal(current) {
  const { loyal: data } = await overview();
  if (!current()) return;
  if (!data) throw new Error("Customers are shown with the scope read:customers.");
  scope("loyal-scope");
  const percent = (100 * data.loyal_customers) / data.total_customers;
  const share = Number.isFinite(percent) ? ` (${percent.toFixed(1)} %)` : "";
  const open = (customer) => {
    byId("search").value = customer.key;
    run("lookup");
    chooseCustomer(customer.id, true);
  };
  fill(byId("loyal-stats"),
    stat("Customers", count(data.total_customers), isFiltered() ? "With a document here." : "With a customer number."),
    stat("Loyal", count(data.loyal_customers) + share, "More than one order."),
    stat("Most orders", count(data.most_orders), "By a single customer."));
  fill(byId("loyal-table"), data.top.length
    ? table("Customers with most orders", [
      { head: "Customer", cell: (r) => linkButton(customerName(r), `loyal:${r.id}`, () => open(r)) },
      { head: "Orders", numeric: true, cell: (r) => count(r.orders) },
    ], data.top)
    : empty(`No customer has ordered more than once ${isFiltered() ? "here" : "yet"}.`));
}
