// The start page: what happens in the embedded runtime, as it happens. Only /v1 and /local are asked.

import { get, list, picture, post, put, Refused, takeToken } from "./api.js";
import { element } from "./elements.js";
import { inLanguage, language, moment, speak, word } from "./words.js";
import { showContact, showContacts } from "./contacts.js";
import { showJourney, showJourneys } from "./journeys.js";
import { showOutbox } from "./outbox.js";
import { showShops } from "./shops.js";

const EVERY = 2000; // milliseconds
const TABS = ["outbox", "journeys", "contacts", "shops"];
const VIEWS = {
  outbox: showOutbox, journeys: showJourneys, journey: showJourney, contacts: showContacts, contact: showContact, shops: showShops,
};
const by = (id) => document.getElementById(id);

let stores = [];
let shown = ""; // what the view was made of; the same again is not made again
let turn = 0; // an answer that comes after the view changed is dropped

const state = { store: null, stores, get, post, put, list, picture, inLanguage, redraw: () => refresh(true) };

function place() {
  const [view, ...rest] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  return { view: view in VIEWS ? view : "outbox", rest };
}

function notice(text) {
  by("notice").hidden = !text;
  by("notice").textContent = text ?? "";
}

function frame() {
  const { view } = place();
  by("tabs").replaceChildren(...TABS.map((tab) =>
    element("a", { href: `#/${tab}`, "aria-current": tab.startsWith(view) || `${view}s` === tab ? "page" : null }, word(tab))));
  by("language").textContent = word("switch");
  document.querySelectorAll("[data-word]").forEach((node) => { node.textContent = word(node.dataset.word); });
}

function chooseStore() {
  const kept = sessionStorage.getItem("agala-store");
  state.store = stores.find((store) => store.id === kept) ?? stores[0] ?? null;
  by("stores").replaceChildren(...stores.map((store) =>
    element("option", { value: store.id, selected: store.id === state.store?.id }, store.name)));
  by("stores").disabled = stores.length < 2;
}

async function refresh(force = false) {
  const mine = ++turn;
  if (!sessionStorage.getItem("agala-token")) {
    by("view").replaceChildren();
    return notice(word("no_token"));
  }
  try {
    const [clock, found] = await Promise.all([get("/local/clock"), list("/v1/stores")]);
    if (mine !== turn) return;
    if (JSON.stringify(found) !== JSON.stringify(stores) || force) {
      state.stores = stores = found;
      chooseStore();
    }
    tellTime(clock);
    const { view, rest } = place();
    const seen = await VIEWS[view].read(state, ...rest);
    if (mine !== turn) return;
    notice(null);
    const made = JSON.stringify([language, location.hash, state.store?.id, seen]);
    if (made === shown && !force) return;
    shown = made;
    const content = await VIEWS[view].draw(seen, state, ...rest);
    if (mine === turn && content) by("view").replaceChildren(...[content].flat());
  } catch (problem) {
    if (mine !== turn) return;
    if (!(problem instanceof Refused)) {
      if (!(problem instanceof TypeError)) throw problem;
      return notice(word("out_of_reach"));
    }
    shown = "";
    if (problem.status === 401) notice(word("token_refused"));
    else if (problem.status === 404) notice(word("not_found"));
    else notice(problem.message);
  }
}

function tellTime(clock) {
  const speed = clock.speed === 1 ? "" : ` ×${clock.speed}`;
  by("clock").dateTime = clock.now;
  by("clock").title = word("now");
  by("clock").textContent = moment(clock.now, state.store?.timezone) + speed;
}

async function live() {
  if (!document.hidden) await refresh();
  setTimeout(live, EVERY);
}

takeToken();
speak(language);
frame();
by("language").addEventListener("click", () => {
  speak(language === "he" ? "en" : "he");
  frame();
  refresh(true);
});
by("stores").addEventListener("change", (event) => {
  sessionStorage.setItem("agala-store", event.target.value);
  chooseStore();
  if (place().view.endsWith("s") || place().view === "outbox") refresh(true);
  else location.hash = `#/${place().view}s`;
});
addEventListener("hashchange", () => {
  takeToken();
  frame();
  refresh(true);
});
live();
