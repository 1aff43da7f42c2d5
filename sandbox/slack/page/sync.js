// Keeps the page's state what the workspace says: loads what is looked at, and follows the changes.
import * as api from "./api.js";
import { channelsOf, emit, isMember, on, readPlace, state } from "./state.js";

const RETRY_MS = [300, 600, 1200, 2500, 5000];
const opened = Date.now() / 1000;
const lastRead = new Map(); // "person channel" → ts of the newest message they have seen

const spot = (channel = state.channel) => `${state.me} ${channel}`;

/** The answer, or nothing with the reason when this person may not read it. */
async function readable(asked) {
  try {
    return { ...(await asked), refusal: null };
  } catch (error) {
    if (error instanceof api.Refused) return { messages: [], views: [], home: null, refusal: error.message };
    throw error;
  }
}

async function loadMessages() {
  const at = spot();
  if (!state.channel) return;
  const { messages, refusal } = await readable(api.messages(state.channel, state.me));
  if (at !== spot()) return;
  Object.assign(state, { messages, messagesOf: at, refusal });
  lastRead.set(at, messages.at(-1)?.ts ?? "0");
  state.unread.delete(at);
  emit("messages");
  emit("unread");
}

async function loadThread() {
  const thread = state.thread;
  const at = `${spot()} ${thread}`;
  if (!thread) {
    state.replies = [];
    state.repliesOf = null;
  } else {
    const { messages } = await readable(api.messages(state.channel, state.me, thread));
    if (at !== `${spot()} ${state.thread}`) return;
    state.replies = messages;
    state.repliesOf = at;
  }
  emit("thread");
}

async function loadViews() {
  const { me } = state;
  const answer = await readable(api.views(me));
  if (me !== state.me) return;
  state.views = answer.views;
  state.home = answer.home;
  emit("views");
}

async function loadWorkspace() {
  state.workspace = await api.workspace();
  emit("workspace");
}

/** Counts what a person has not seen in a channel that is not open; what is older than the page counts as seen. */
async function countUnread(channel) {
  const { me } = state;
  const at = spot(channel);
  const { messages } = await readable(api.messages(channel, me));
  const seen = Number(lastRead.get(at) ?? opened);
  state.unread.set(at, messages.filter((message) => message.user !== me && Number(message.ts) > seen).length);
  emit("unread");
}

/** Every channel that could hold something unread. */
const elsewhere = () =>
  channelsOf(state.me)
    .filter((one) => one.id !== state.channel && isMember(one))
    .map((one) => one.id);

const countAllUnread = () => Promise.all(elsewhere().map(countUnread));

/** Everything that is looked at, anew. */
async function loadAll() {
  await Promise.all([loadMessages(), loadThread(), loadViews()]);
}

async function apply(changed) {
  const everything = changed.includes("everything");
  if (everything || changed.includes("workspace")) {
    await loadWorkspace();
    readPlace();
    if (!everything) await loadAll();
  }
  if (everything) return loadAll();
  const work = [];
  if (changed.includes("views")) work.push(loadViews());
  if (changed.includes(state.channel)) work.push(loadMessages(), loadThread());
  for (const id of elsewhere()) if (changed.includes(id)) work.push(countUnread(id));
  return Promise.all(work);
}

function connection(connected) {
  if (state.connected === connected) return;
  state.connected = connected;
  emit("connection");
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** For ever: wait for changes and load them; when the workspace is gone, try again and then load everything. */
async function follow() {
  let failures = 0;
  let seq = null;
  let mayFollow = true;
  for (;;) {
    const { me } = state;
    try {
      if (seq === null) {
        await loadWorkspace();
        readPlace();
        await loadAll();
        seq = 0;
      }
      connection(true);
      failures = 0;
      waiting = new AbortController();
      const answer = await api.changes(seq, mayFollow ? me : null, waiting.signal);
      if (answer.seq < seq)
        seq = null; // another workspace answers at this address
      else {
        ({ seq } = answer);
        await apply(answer.changed);
      }
    } catch (error) {
      if (error.name === "AbortError") {
        mayFollow = true;
        continue;
      }
      if (error instanceof api.Refused && mayFollow) {
        mayFollow = false; // a deactivated person follows nothing; what everybody may know still counts
        continue;
      }
      seq = null;
      connection(false);
      await sleep(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    }
  }
}

let waiting = null;

/** Starts; resolves when the workspace is known for the first time. */
export async function start() {
  let person = null;
  let channel = null;
  let thread = null;
  on(["place"], () => {
    const moved = person !== state.me || channel !== state.channel;
    const load = [];
    if (moved) load.push(loadMessages());
    if (moved || thread !== state.thread) load.push(loadThread());
    if (person !== state.me) {
      load.push(loadViews(), countAllUnread());
      waiting?.abort(); // the wait was for the other person's changes
    }
    ({ me: person, channel, thread } = state);
    Promise.all(load).catch(() => {}); // the loop notices that the workspace is gone
  });
  for (let tries = 0; ; tries += 1) {
    try {
      await loadWorkspace();
      break;
    } catch {
      connection(false);
      await sleep(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
    }
  }
  readPlace();
  addEventListener("hashchange", readPlace);
  follow();
}
