// The workspace's own interface, at the same origin; everything is JSON.

/** The workspace refused: `message` is its plain words, `status` the HTTP status, `data` the whole answer. */
export class Refused extends Error {
  constructor(message, status, data) {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.data = data;
  }
}

/** Nobody answered, or not in JSON. */
export class Unreachable extends Error {
  constructor() {
    super("The pretend workspace does not answer.");
    this.name = "Unreachable";
  }
}

async function call(path, { query, body, signal } = {}) {
  const url = new URL(`/sandbox/${path}`, location.origin);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined) url.searchParams.set(key, value);
  }
  const init =
    body === undefined
      ? { signal, cache: "no-store" }
      : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
  let response;
  let data;
  try {
    response = await fetch(url, init);
    data = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable();
  }
  if (!response.ok) throw new Refused(data?.error ?? `HTTP ${response.status}`, response.status, data);
  return data;
}

export const workspace = () => call("workspace");
export const messages = (channel, as, threadTs) => call("messages", { query: { channel, as, thread_ts: threadTs } });
export const views = (as) => call("views", { query: { as } });
export const changes = (since, as, signal) => call("changes", { query: { since, as }, signal });
export const hints = (text, signal) => call("hints", { query: { text }, signal });
export const say = (as, channel, text, threadTs) =>
  call("say", { body: { as, channel, text, ...(threadTs ? { thread_ts: threadTs } : {}) } });
export const press = (body) => call("press", { body });
export const options = (body, signal) => call("options", { body, signal });
export const submit = (as, viewId, values) => call("submit", { body: { as, view_id: viewId, values } });
export const close = (as, viewId, all) =>
  call("close", { body: { as, view_id: viewId, ...(all ? { all: true } : {}) } });
/** Tells the app that its Home or Messages tab was opened. */
export const openHome = (as, tab) => call("home", { body: { as, tab } });
export const join = (person, channel) => call("person", { body: { person, action: "join", channel } });
