// The shops: a code that connects one, how each is tied to us, and how far its history is.

import { of } from "./api.js";
import { badge, code as ltr, element, empty, facts, own } from "./elements.js";
import { readShopify, shopifyCard } from "./shopify.js";
import { language, moment, word } from "./words.js";

let made = null; // the code that was made last; it is shown once, and here only
let said = ""; // of the button that was pressed

async function read(state) {
  const syncs = await Promise.all(state.stores.map((store) => (store.connection ? syncOf(state, store) : null)));
  return { stores: state.stores, syncs, shopify: await readShopify(state), made, said };
}

async function syncOf(state, store) {
  try {
    return await state.get(of(store.id, "sync"));
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return null; // the store went meanwhile
  }
}

function draw({ stores, syncs, shopify }, state) {
  return element("div", { class: "shops" },
    connectCard(state),
    shopifyCard(shopify, state),
    stores.length ? stores.map((store, place) => shopCard(store, syncs[place])) : empty(word("no_shops")));
}

function connectCard(state) {
  return element("section", { class: "card", "aria-labelledby": "connect-title" },
    element("h2", { id: "connect-title" }, word("connect_title")),
    element("p", {}, word("connect_how")),
    element("button", { type: "button", class: "primary", id: "make-code", onclick: () => make(state) }, word("make_code")),
    made ? element("div", { class: "code" },
      element("output", { id: "code", dir: "ltr", "aria-label": word("code") }, made.code),
      element("button", { type: "button", id: "copy", onclick: () => copy(state) }, word("copy")),
      element("span", { class: "quiet" }, `${word("good_until")} ${moment(made.expires_at, state.store?.timezone)}`)) : null,
    element("p", { role: "status", class: "quiet" }, said ? word(said) : ""));
}

async function make(state) {
  try {
    made = await state.post("/v1/connection-codes", {});
    said = "";
  } catch {
    said = "code_failed";
  }
  await state.redraw();
  document.getElementById(made ? "copy" : "make-code")?.focus();
}

async function copy(state) {
  try {
    await navigator.clipboard.writeText(made.code);
    said = "copied";
  } catch {
    getSelection().selectAllChildren(document.getElementById("code")); // no leave to write there: the keyboard may
    return;
  }
  await state.redraw();
  document.getElementById("copy")?.focus();
}

function shopCard(store, sync) {
  const { connection } = store;
  const zone = store.timezone;
  return element("section", { class: "card" },
    element("header", { class: "title" },
      element("h2", {}, own(store.name)),
      connection ? badge(connection.status, word(connection.status)) : element("span", { class: "quiet" }, word("over_api"))),
    facts([
      [word("address"), ltr(store.url)],
      [word("shopify_shop"), connection?.shop && ltr(connection.shop)],
      [word("connection"), connection && moment(connection.since, zone)],
      [word("sync"), connection?.status === "connected" ? sync && syncShown(sync, zone) : null],
    ]),
    connection?.status === "disconnected" ? element("p", { class: "trouble" }, word("shop_held")) : null,
    connection?.status === "connected" && !connection.keys_at ? element("p", { class: "trouble" }, word("no_keys")) : null);
}

function syncShown(sync, zone) {
  return [
    badge(sync.status, word(sync.status)), " ",
    sync.mode ? element("span", { class: "quiet" }, word(sync.mode)) : null,
    element("div", { class: "parts" }, sync.parts.map(({ kind, done, total }) => [
      element("span", {}, word(kind)),
      element("progress", { max: String(total || done || 1), value: String(done), "aria-label": word(kind) }),
      ltr(total === null ? number(done) : `${number(done)} / ${number(total)}`),
    ])),
    sync.trouble ? element("p", { class: "trouble" }, own(sync.trouble.words), " ",
      sync.trouble.next_try_at ? `${word("next_try")}: ${moment(sync.trouble.next_try_at, zone)}` : null) : null,
    sync.notices.map((words) => element("p", { class: "quiet" }, own(words))),
    sync.last_reconciliation ? lookShown(sync.last_reconciliation, zone) : null,
  ];
}

function lookShown({ at, found, webhooks_mended: mended, quiet_since: quiet }, zone) {
  const missed = Object.values(found).reduce((sum, many) => sum + many, 0);
  return [
    element("p", { class: "quiet" }, [
      `${word("last_look")}: ${moment(at, zone)}`, `${word("missed")}: ${number(missed)}`, `${word("mended")}: ${number(mended)}`,
    ].join(" · ")),
    quiet ? element("p", { class: "trouble" }, `${word("quiet_since")} ${moment(quiet, zone)}`) : null,
  ];
}

const number = (many) => new Intl.NumberFormat(language).format(many ?? 0);

export const showShops = { read, draw };
