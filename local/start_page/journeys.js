import { of } from "./api.js";
import { fullName } from "./contacts.js";
import { badge, element, empty, own, table } from "./elements.js";
import { moment, word } from "./words.js";

let drawn = null; // the address of the last drawing, let go when the next comes

async function read(state) {
  if (!state.store) return { journeys: [], counts: {} };
  const journeys = await state.list(of(state.store.id, "journeys"));
  const counts = {};
  await Promise.all(journeys.map(async (journey) => {
    counts[journey.id] = count(await state.list(`${of(state.store.id, "journeys", journey.id, "enrolments")}?limit=200`, 5000));
  }));
  return { journeys, counts };
}

function count(enrolments) {
  const found = {};
  for (const { status } of enrolments) found[status] = (found[status] ?? 0) + 1;
  return found;
}

function badges(counts) {
  return element("span", { class: "badges" }, Object.entries(counts).map(([status, many]) => badge(status, `${word(status)} ${many}`)));
}

function draw({ journeys, counts }, state) {
  if (!state.store) return empty(word("no_stores"));
  if (!journeys.length) return empty(word("no_journeys"));
  return element("div", { class: "cards" }, journeys.map((journey) =>
    element("a", { class: "card", href: `#/journey/${encodeURIComponent(journey.id)}` },
      element("h2", {}, own(state.inLanguage(journey.name) || journey.id)),
      badge(journey.status, word(journey.status)),
      element("p", { class: "quiet" }, own(journey.id)),
      Object.keys(counts[journey.id]).length ? badges(counts[journey.id]) : element("span", { class: "quiet" }, word("nothing")))));
}

const SHOWN = 200;
const names = new Map(); // by contact id: how each is called; asked for once

async function named(state, enrolments) {
  const ids = [...new Set(enrolments.map((one) => one.contact_id))];
  await Promise.all(ids.filter((id) => !names.has(id)).slice(0, 40).map(async (id) => {
    try {
      const contact = await state.get(of(state.store.id, "contacts", id));
      names.set(id, fullName(contact) || contact.email || contact.phone || "—");
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      names.set(id, "—"); // erased
    }
  }));
  return ids.map((id) => [id, names.get(id) ?? "…"]);
}

/** Every step's title by its id, those in branches too. */
function titles(steps, found = new Map()) {
  for (const step of steps ?? []) {
    found.set(step.id, step.title);
    for (const inner of Object.values(step)) {
      if (Array.isArray(inner) && inner[0]?.id) titles(inner, found);
    }
  }
  return found;
}

async function readOne(state, id) {
  if (!state.store) return null;
  const [journey, enrolments] = await Promise.all([
    state.get(of(state.store.id, "journeys", id)),
    state.list(`${of(state.store.id, "journeys", id, "enrolments")}?limit=200`, 5000),
  ]);
  const newest = enrolments.slice(-SHOWN).reverse();
  return { journey, enrolments, newest, people: await named(state, newest) };
}

async function drawOne(seen, state, id) {
  if (!seen) return empty(word("no_stores"));
  const { journey, enrolments, newest } = seen;
  const people = new Map(seen.people);
  const titled = titles((journey.definition ?? journey.draft)?.steps);
  const blob = await state.picture(`${of(state.store.id, "journeys", id)}/drawing.svg`);
  if (drawn) URL.revokeObjectURL(drawn);
  drawn = URL.createObjectURL(blob);
  const zone = state.store.timezone;
  const name = state.inLanguage(journey.name) || journey.id;
  return [
    element("header", { class: "title" },
      element("h1", {}, own(name)), badge(journey.status, word(journey.status)), badges(count(enrolments)),
      journey.version ? element("span", { class: "quiet" }, `${word("version")} ${journey.version}`) : null),
    element("div", { class: "two" },
      element("figure", { class: "card drawing" }, element("img", { src: drawn, alt: `${word("drawing")}: ${name}` })),
      element("section", { class: "card" },
        element("h2", {}, word("people")),
        enrolments.length ? table(
          [word("contact"), word("status"), word("where"), word("entered"), word("due"), word("reason")],
          newest.map((one) => [
            element("a", { href: `#/contact/${encodeURIComponent(one.contact_id)}` }, own(people.get(one.contact_id))),
            badge(one.status, word(one.status)), own(state.inLanguage(titled.get(one.at_step)) || one.at_step), moment(one.entered_at, zone),
            moment(one.ended_at ? null : one.due_at, zone), own(one.reason === one.status ? "" : word(one.reason)),
          ])) : empty(word("nothing")))),
  ];
}

export const showJourneys = { read, draw };
export const showJourney = { read: readOne, draw: drawOne };
