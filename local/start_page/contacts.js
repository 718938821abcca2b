import { of } from "./api.js";
import { badge, code, element, empty, facts, own, table } from "./elements.js";
import { moment, money, word } from "./words.js";

const FEW = 100;
let wanted = "";

export const fullName = (contact) => [contact.first_name, contact.last_name].filter(Boolean).join(" ");
const link = (contact, text) => element("a", { href: `#/contact/${encodeURIComponent(contact.id)}` }, own(text));

async function read(state) {
  if (!state.store) return null;
  const asked = wanted.includes("@") ? `?email=${encodeURIComponent(wanted)}` : `?limit=${FEW}`;
  try {
    return await state.list(of(state.store.id, "contacts") + asked, FEW);
  } catch (problem) {
    if (problem.status === 422) return [];
    throw problem;
  }
}

function draw(contacts, state) {
  if (!contacts) return empty(word("no_stores"));
  const zone = state.store.timezone;
  const search = element("input", { type: "search", placeholder: word("find"), "aria-label": word("find"), value: wanted, dir: "auto" });
  const form = element("form", { class: "find", onsubmit: (event) => {
    event.preventDefault();
    wanted = search.value.trim();
    dispatchEvent(new HashChangeEvent("hashchange"));
  } }, search);
  return [form, contacts.length ? element("section", { class: "card" }, table(
    [word("name"), word("email"), word("orders"), word("spent"), word("last_order"), word("consent")],
    contacts.map((contact) => [
      link(contact, fullName(contact) || "—"), own(contact.email), String(contact.orders_count), money(contact.total_spent),
      moment(contact.last_order_at, zone), badge(contact.consent.email.status, word(contact.consent.email.status)),
    ]))) : empty(word(wanted ? "nothing" : "no_contacts"))];
}

async function readOne(state, id) {
  if (!state.store) return null;
  const path = of(state.store.id, "contacts", id);
  const [contact, timeline, enrolments, messages] = await Promise.all([
    state.get(path),
    state.list(`${path}/timeline`, 100),
    state.list(`${path}/enrolments`, 200),
    state.list(`${of(state.store.id, "messages")}?contact_id=${encodeURIComponent(id)}`, 200),
  ]);
  return { contact, timeline, enrolments, messages };
}

function drawOne(seen, state) {
  if (!seen) return empty(word("no_stores"));
  const { contact, timeline, enrolments, messages } = seen;
  const zone = state.store.timezone;
  return [
    element("p", {}, element("a", { href: "#/contacts" }, word("back"))),
    element("div", { class: "two" },
      element("div", {},
        element("section", { class: "card" },
          element("h1", {}, own(fullName(contact) || contact.email || contact.phone || "—")),
          facts([
            [word("email"), contact.email && own(contact.email)], [word("phone"), contact.phone && code(contact.phone)],
            [word("orders"), String(contact.orders_count)], [word("spent"), money(contact.total_spent)],
            [word("first_order"), moment(contact.first_order_at, zone)], [word("last_order"), moment(contact.last_order_at, zone)],
            [word("since"), moment(contact.created_at, zone)], [word("joined_from"), contact.joined_from && own(contact.joined_from)],
            [word("lists"), contact.lists.length ? own(contact.lists.join(", ")) : null],
            [word("tags"), contact.tags.length ? own(contact.tags.join(", ")) : null],
            [word("consent"), element("span", { class: "badges" }, ["email", "sms", "whatsapp"].map((channel) =>
              badge(contact.consent[channel].status, `${word(channel)}: ${word(contact.consent[channel].status)}`)))],
          ])),
        element("section", { class: "card" },
          element("h2", {}, word("messages")),
          messages.length ? table([word("subject"), word("status"), word("at"), word("reason")], messages.reverse().map((one) => [
            one.to ? element("a", { href: `#/outbox/${encodeURIComponent(one.id)}` }, own(one.subject ?? `${word(one.channel)} · ${one.step}`)) : own(one.step),
            badge(one.status, word(one.status)), moment(one.at, zone), own(word(one.reason)),
          ])) : empty(word("nothing"))),
        element("section", { class: "card" },
          element("h2", {}, word("enrolments")),
          enrolments.length ? table([word("journey"), word("status"), word("where"), word("entered"), word("due"), word("reason")],
            enrolments.reverse().map((one) => [
              element("a", { href: `#/journey/${encodeURIComponent(one.journey)}` }, own(one.journey)),
              badge(one.status, word(one.status)), own(one.at_step), moment(one.entered_at, zone),
              moment(one.ended_at ? null : one.due_at, zone), own(one.reason === one.status ? "" : word(one.reason)),
            ])) : empty(word("nothing")))),
      element("section", { class: "card" },
        element("h2", {}, word("timeline")),
        timeline.length ? element("ol", { class: "timeline" }, timeline.map((event) => happening(event, zone))) : empty(word("nothing")))),
  ];
}

function happening(event, zone) {
  const { number, total, items, journey, subject, step, reason, status, detail } = event.properties;
  const why = reason ?? (event.type.endsWith("not_sent") ? detail : null) ?? status;
  return element("li", {},
    element("span", { class: "quiet" }, moment(event.occurred_at, zone)),
    element("strong", {}, word(event.type)),
    number ? element("span", {}, " ", code(`#${number}`)) : null,
    total?.currency ? element("span", { class: "quiet" }, " ", money(total)) : null,
    subject || step ? element("span", {}, " ", own(subject ?? step)) : null,
    typeof journey === "string" ? element("div", { class: "quiet" }, own(journey), why ? ` · ${word(why)}` : "") : null,
    Array.isArray(items) ? element("ul", {}, items.map((item) =>
      element("li", {}, own(item.name), Number(item.quantity) > 1 ? ` ×${item.quantity}` : ""))) : null);
}

export const showContacts = { read, draw };
export const showContact = { read: readOne, draw: drawOne };
