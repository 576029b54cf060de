// Elements of the page. Data reaches it through textContent, never as markup.

export const byId = (id) => document.getElementById(id);

/** An element; `attributes` with on… keys are listeners, `text` is its text, `key` names it for keeping the focus. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else if (name === "key") node.dataset.key = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An element of a drawing. */
export function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** What of `container` is unfolded, by data-id, to be kept when it is filled again. */
export const unfolded = (container) =>
  new Set([...container.querySelectorAll("details[open]")].map((node) => node.dataset.id));

/** Replaces the content of `container`; the focused element (by its key) keeps the focus. */
export function fill(container, ...nodes) {
  const active = document.activeElement;
  const key = active && container.contains(active) ? active.dataset.key : undefined;
  container.replaceChildren(...nodes.filter((node) => node !== null && node !== undefined));
  if (!key) return;
  for (const node of container.querySelectorAll("[data-key]")) {
    if (node.dataset.key === key) return node.focus({ preventScroll: true });
  }
}

/** Sets the text and lets a changed figure light up briefly. */
export function setFigure(node, text) {
  if (node.textContent === text) return;
  const first = node.textContent === "";
  node.textContent = text;
  if (first) return;
  node.classList.remove("changed");
  void node.offsetWidth;
  node.classList.add("changed");
}

/** `columns`: {head, cell: row → string or Node, numeric?, cut?, wideOnly?}. The first column heads its row. */
export function table(caption, columns, rows, foot) {
  const classes = (column) => [
    column.numeric && "num", column.cut && "cut", column.once && "once", column.wideOnly && "wide-only",
  ].filter(Boolean).join(" ") || null;
  const cell = (column, index, content) => {
    const node = el(index === 0 ? "th" : "td", { class: classes(column), scope: index === 0 ? "row" : null });
    node.append(content);
    if (column.cut && typeof content === "string") node.title = content;
    return node;
  };
  const body = rows.map((row) =>
    el("tr", { class: row.class }, ...columns.map((c, i) => cell(c, i, c.cell(row) ?? "–"))));
  return el("table", {},
    el("caption", { class: "hidden-visually", text: caption }),
    el("thead", {}, el("tr", {}, ...columns.map((c) => el("th", { scope: "col", class: classes(c), text: c.head })))),
    el("tbody", {}, ...body),
    foot ? el("tfoot", {}, el("tr", {}, ...columns.map((c, i) => cell(c, i, foot[i] ?? "")))) : null);
}

export const empty = (text) => el("p", { class: "empty", text });
export const linkButton = (text, key, action) =>
  el("button", { type: "button", class: "link", key, text, onclick: action });

export const stat = (label, value, caption) =>
  el("div", {}, el("dt", { text: label }), el("dd", { text: value }),
    caption ? el("dd", { class: "caption", text: caption }) : null);
