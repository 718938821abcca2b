// The way to /v1 and /local. The token lives in this tab only, never in the address.

const KEPT = "agala-token";

export class Refused extends Error {
  /** `lines`: what is wrong, in the API's own words. */
  constructor(status, { detail, errors } = {}) {
    super(`answered ${status}`);
    this.status = status;
    this.lines = errors?.map(({ message }) => message) ?? [detail ?? this.message];
  }
}

export function takeToken() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(KEPT, decodeURIComponent(found[1]));
    history.replaceState(null, "", `${location.pathname}#/outbox`);
  }
  return sessionStorage.getItem(KEPT);
}

async function ask(path, body, method = body ? "POST" : "GET") {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEPT)}`, ...(body && { "Content-Type": "application/json" }) };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

export const get = async (path) => (await ask(path)).json();

export const post = async (path, body) => (await ask(path, body)).json();

export const put = async (path, body) => (await ask(path, body, "PUT")).json();

export const picture = async (path) => (await ask(path)).blob();

/** Items of a listing, page after page, as far as `most`. */
export async function list(path, most = 1000) {
  const items = [];
  let cursor = null;
  do {
    const joint = path.includes("?") ? "&" : "?";
    const page = await get(path + (cursor ? `${joint}cursor=${encodeURIComponent(cursor)}` : ""));
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}

export const of = (store, ...rest) => ["/v1/stores", store, ...rest].map((part, place) => (place ? encodeURIComponent(part) : part)).join("/");
