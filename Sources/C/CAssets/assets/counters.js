// What a customer orders most: counters of closed orders by product and category.
import { api } from "./api.js";
import { el, table } from "./dom.js";
import { count, instant } from "./format.js";

const SHOWN = 5;

export async function loadCounters(id) {
  const base = `/v1/users/${encodeURIComponent(id)}`;
  const [products, categories] = await Promise.all([
    api(`${base}/products`, { limit: SHOWN }),
    api(`${base}/categories`, { limit: SHOWN }),
  ]);
  return { products, categories };
}

/** Two tables side by side; nothing for a customer without counted orders. */
export function counterTables({ products, categories }) {
  if (!products.items.length && !categories.items.length) return null;
  const columns = (head, name) => [
    { head, cell: name },
    { head: "Orders", numeric: true, cell: (r) => count(r.orders) },
    { head: "Last", once: true, wideOnly: true, cell: (r) => instant(r.last_order_at) },
  ];
  const half = (id, title, more, content) => el("div", { id },
    el("h3", { text: more ? `${title}, first ${SHOWN}` : title }), content);
  return el("div", { class: "counters" },
    products.items.length
      ? half("top-products", "Products ordered most", products.next,
        table("Products by closed orders", columns("Product", (r) => r.name), products.items))
      : null,
    categories.items.length
      ? half("top-categories", "Categories ordered most", categories.next,
        table("Categories by closed orders", columns("Category", (r) => r.category), categories.items))
      : null);
}
