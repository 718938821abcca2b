import { badge, code, element, empty, facts, own } from "./elements.js";
import { language, moment, word } from "./words.js";

const WAYS = { email: ["letter", "text", "details"], sms: ["bubble", "details"], whatsapp: ["bubble", "details"] };
const MOST = 300; // lines
let way = "letter";
const toPhone = (mail) => mail.channel !== "email";
const address = (mail) => (toPhone(mail) ? code(mail.to) : own(mail.to));
/** What stands for it in a list: what goes to a phone has no subject. */
const title = (mail) => mail.subject ?? mail.text.split("\n").filter((words) => words.trim()).slice(0, 2).join(" · ");

async function read(state) {
  const { items } = await state.get("/local/outbox");
  return items.filter((mail) => !state.store || !mail.store_id || mail.store_id === state.store.id).reverse();
}

function draw(mails, state, chosen) {
  if (!mails.length) return empty(word(state.store ? "no_mails" : "no_stores"));
  const open = mails.find((mail) => mail.id === chosen) ?? mails[0];
  const lines = mails.slice(0, MOST).map((mail) => line(mail, mail === open, state));
  const shown = document.querySelector(".letter");
  if (shown?.dataset.shown === open.id + language) { // who reads a letter keeps it, and their place in the list
    document.querySelector(".list").replaceChildren(...lines);
    return null;
  }
  return element("div", { class: "split" }, element("ol", { class: "list" }, lines), letter(open, state));
}

function line(mail, open, state) {
  return element("li", {}, element("a", { href: `#/outbox/${encodeURIComponent(mail.id)}`, "aria-current": open ? "true" : null },
    element("strong", {}, toPhone(mail) ? [badge(mail.channel, word(mail.channel)), " "] : null, own(title(mail))),
    element("span", { class: "quiet" }, address(mail)),
    element("span", { class: "quiet" }, moment(mail.at, state.store?.timezone)),
    mail.journey ? element("span", { class: "quiet" }, own(mail.journey)) : null));
}

function letter(mail, state) {
  const pane = element("div", { class: "pane" });
  const ways = WAYS[mail.channel] ?? WAYS.email;
  const show = (chosen) => {
    way = chosen;
    pane.replaceChildren(...[WAY[way](mail)].flat());
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.way === way)));
  };
  const buttons = ways.map((name) =>
    element("button", { type: "button", "data-way": name, onclick: () => show(name) }, word(name)));
  show(ways.includes(way) ? way : ways[0]);
  return element("article", { class: "card letter", "data-shown": mail.id + language },
    element("header", {},
      element("h1", {}, toPhone(mail) ? word(mail.channel) : own(mail.subject)),
      facts([
        [word("from"), named(mail.from)],
        [word("to"), mail.contact_id && state.store
          ? element("a", { href: `#/contact/${encodeURIComponent(mail.contact_id)}` }, address(mail)) : address(mail)],
        [word("at"), moment(mail.at, state.store?.timezone)],
        [word("journey"), mail.journey && element("a", { href: `#/journey/${encodeURIComponent(mail.journey)}` }, own(mail.journey))],
        [word("step"), mail.step && own(mail.step)],
        [word("kind"), badge(mail.kind, word(mail.kind))],
      ]),
      element("div", { class: "choice" }, buttons)),
    pane);
}

/** `name <address>`: each with a direction of its own. */
function named(sender) {
  const [, name, address] = /^(.*) (<[^<>]*>)$/.exec(sender) ?? [];
  return name ? [own(name), " ", own(address)] : own(sender);
}

/** Words with their web addresses as links, made of text nodes like everything here. */
function linked(text) {
  return text.split(/(https?:\/\/\S+)/).map((part, place) => (place % 2
    ? element("a", { href: part, target: "_blank", rel: "noreferrer noopener", dir: "ltr" }, part) : part));
}

const WAY = {
  bubble: (mail) => element("div", { class: "phone" }, element("p", { class: "bubble", dir: "auto" }, linked(mail.text))),
  // An empty sandbox: no scripts, no forms, no way out of the frame.
  letter: (mail) => element("iframe", { sandbox: "", srcdoc: mail.html, title: mail.subject, referrerpolicy: "no-referrer" }),
  text: (mail) => element("pre", { dir: "auto" }, mail.text),
  details: (mail) => facts([["id", own(mail.id)], ...Object.entries(mail.headers).map(([name, value]) => [name, own(value)])]),
};

export const showOutbox = { read, draw };
