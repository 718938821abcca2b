// The owner says yes: a connection code is made with their token, and taken back to the shop that asked.

const KEPT = "agala-token"; // where the start page keeps it too: in this tab only
const { shop, back, state, words } = JSON.parse(document.querySelector("main").dataset.asked);
const by = (id) => document.getElementById(id);

const ask = (path, token, body) =>
  fetch(path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
    cache: "no-store",
  });

const makeCode = (token, body) => ask("v1/connection-codes", token, body);

/** The store at the shop's address, for a token that may not make new ones. */
async function ownStore(token) {
  let cursor = "";
  do {
    const answer = await ask(`v1/stores?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, token);
    if (!answer.ok) return null;
    const page = await answer.json();
    const found = page.items.find((store) => new URL(store.url).host === new URL(shop).host);
    if (found) return found;
    cursor = page.next;
  } while (cursor);
  return null;
}

async function code(token) {
  let answer = await makeCode(token, { shop });
  if (answer.status === 403) {
    const store = await ownStore(token);
    if (store) answer = await makeCode(token, { store_id: store.id });
  }
  if (answer.ok) return (await answer.json()).code;
  if (answer.status === 401) askForToken();
  by("told").textContent = { 401: words.refused, 403: words.not_allowed }[answer.status] ?? words.failed;
  return null;
}

function askForToken() {
  sessionStorage.removeItem(KEPT);
  by("sign-in").hidden = false;
  by("token").required = true;
  by("token").focus();
}

async function connect(event) {
  event.preventDefault();
  const token = sessionStorage.getItem(KEPT) ?? by("token").value.trim();
  by("connect").disabled = true;
  by("told").textContent = "";
  try {
    const made = await code(token);
    if (!made) return;
    sessionStorage.setItem(KEPT, token);
    const way = new URL(back);
    if (way.origin !== new URL(shop).origin) return;
    way.searchParams.set("code", made);
    if (state) way.searchParams.set("state", state);
    location.assign(way);
  } catch {
    by("told").textContent = words.failed; // no answer, or a token that no header can carry
  } finally {
    by("connect").disabled = false;
  }
}

by("form").addEventListener("submit", connect);
by("form").hidden = false;
if (!sessionStorage.getItem(KEPT)) askForToken();
