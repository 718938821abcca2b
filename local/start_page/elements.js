// Elements are made of text nodes only: nothing that a shopper typed is ever read as HTML.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(3)) {
    if (child !== undefined && child !== null && child !== false) made.append(child);
  }
  return made;
}

/** A name, an address, a code: it keeps its own direction. */
export const own = (text) => element("bdi", {}, text ?? "");

/** A phone, a number with its sign: always from left to right, for nothing in it says so. */
export const code = (text) => element("bdi", { dir: "ltr" }, text ?? "");

export const badge = (status, text) => element("span", { class: "badge", "data-status": status }, text);

export const empty = (text) => element("p", { class: "empty" }, text);

export function table(headings, rows) {
  return element("div", { class: "scroll" },
    element("table", {},
      element("thead", {}, element("tr", {}, headings.map((heading) => element("th", { scope: "col" }, heading)))),
      element("tbody", {}, rows.map((cells) => element("tr", {}, cells.map((cell) => element("td", {}, cell)))))));
}

export function facts(pairs) {
  return element("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
