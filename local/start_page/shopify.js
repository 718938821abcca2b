// The card that connects a Shopify shop: a token of its admin, the owner's own app, or a link to Shopify's own page.

import { code as ltr, element, facts, own } from "./elements.js";
import { inLanguage, moment, word } from "./words.js";

const WAYS = { // the first is for whoever begins today: shops make no tokens any more
  own_app: ["client_id", "client_secret"],
  link: [],
  token: ["access_token", "app_secret"],
};
const SECRET = ["access_token", "app_secret", "client_secret"];

let typed = { way: "own_app" }; // the card may be drawn anew while somebody types
let made = null; // the link that was made last
let told = null; // what became of the button: {words, privacy} or {trouble: […]}

export async function readShopify(state) {
  return { app: await state.get("/v1/shopify/app"), made, told, way: typed.way };
}

export function shopifyCard({ app, way }, state) {
  keepFocus();
  const noApp = way === "link" && !app.client_id;
  return element("section", { class: "card", "aria-labelledby": "shopify-title" },
    element("h2", { id: "shopify-title" }, word("shopify_title")),
    element("form", { class: "fields", onsubmit: (event) => send(event, app, state) },
      field("shop", word("shopify_shop"), { placeholder: "tea.myshopify.com", spellcheck: "false" }),
      element("label", {}, element("span", {}, word("shopify_way")),
        element("select", { id: "shopify-way", onchange: (event) => choose(event.target.value, state) },
          Object.keys(WAYS).map((name) => element("option", { value: name, selected: name === way }, word(`shopify_${name}`))))),
      element("p", { class: "quiet" }, word(noApp ? "shopify_no_app" : `shopify_${way}_how`)),
      noApp ? facts([[word("app_url"), ltr(app.install_url)], [word("redirect_url"), ltr(app.redirect_url)],
        [word("privacy_url"), ltr(app.webhook_url)]]) : null,
      (noApp ? WAYS.own_app : WAYS[way]).map((name) => field(name, word(name), SECRET.includes(name) ? { type: "password" } : {})),
      element("details", { open: typed.scopes, ontoggle: (event) => { typed.scopes = event.target.open; } },
        element("summary", {}, word("scopes")),
        element("ul", {}, app.scopes.map(({ scope, words, needed }) =>
          element("li", {}, ltr(scope), ": ", own(inLanguage(words)), needed ? null : ` (${word("optional")})`)))),
      element("button", { class: "primary", id: "shopify-connect" }, word(way === "link" ? "shopify_make_link" : "shopify_connect"))),
    made ? element("p", {},
      element("a", { id: "shopify-link", href: made.url, target: "_blank", rel: "noreferrer" }, word("shopify_open")), " ",
      element("span", { class: "quiet" }, `${word("shopify_until")} ${moment(made.expires_at, state.store?.timezone)}`)) : null,
    element("div", { role: "status" },
      told?.words ? element("p", { class: "quiet" }, told.words) : null,
      told?.privacy ? facts([[word("privacy_url"), ltr(told.privacy)]]) : null,
      told?.trouble?.map((line) => element("p", { class: "trouble" }, own(line)))));
}

function field(name, label, more) {
  return element("label", {}, element("span", {}, label),
    element("input", {
      id: `shopify-${name}`, name, dir: "ltr", autocomplete: "off", required: true, value: typed[name] ?? "", ...more,
      oninput: (event) => { typed[name] = event.target.value; },
    }));
}

/** A card that is drawn anew takes the keyboard away from whoever types in it. */
function keepFocus() {
  const { id, selectionStart: from, selectionEnd: to } = document.activeElement ?? {};
  if (!id?.startsWith("shopify-")) return;
  requestAnimationFrame(() => {
    const again = document.getElementById(id);
    again?.focus();
    if (typeof from === "number") again?.setSelectionRange(from, to);
  });
}

async function choose(way, state) {
  typed.way = way;
  made = told = null;
  await state.redraw();
}

async function send(event, app, state) {
  event.preventDefault();
  const { way, shop } = typed;
  const given = (names) => Object.fromEntries(names.map((name) => [name, typed[name]?.trim()]));
  try {
    made = told = null;
    if (way === "link") {
      if (!app.client_id) await state.put("/v1/shopify/app", given(WAYS.own_app));
      made = await state.post("/v1/shopify/installs", { shop: shop.trim() });
    } else {
      const answer = await state.post("/v1/shopify/connections", { shop: shop.trim(), ...given(WAYS[way]) });
      told = { words: `${word("shopify_connected")} ${answer.name}`, privacy: answer.webhook_url };
    }
    typed = { way, scopes: typed.scopes };
  } catch (problem) {
    told = { trouble: problem.lines ?? [word("out_of_reach")] };
  }
  await state.redraw();
  document.getElementById(made ? "shopify-link" : "shopify-connect")?.focus();
}
