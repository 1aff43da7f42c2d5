// What the page knows, who looks at it, and where; everybody who shows a part of it listens to that part.

const listeners = new Map();

/** Calls `fn` after each change of one of `topics`: place, workspace, messages, thread, views, connection, unread. */
export function on(topics, fn) {
  for (const topic of topics) listeners.set(topic, [...(listeners.get(topic) ?? []), fn]);
}

export function emit(topic) {
  for (const fn of listeners.get(topic) ?? []) fn();
}

export const state = {
  workspace: null, // GET /sandbox/workspace
  me: null, // the id of the person who looks
  channel: null, // the id of the open channel
  thread: null, // the ts of the open thread's first message
  tab: "messages", // of the bot's DM: "home" or "messages"
  messages: [], // of the open channel
  messagesOf: null, // "person channel" that `messages` belongs to
  refusal: null, // why this person may not read the open channel, in the workspace's words
  replies: [],
  repliesOf: null, // "person channel ts"
  views: [], // open modals, the one on top last
  home: null,
  connected: true,
  unread: new Map(), // "person channel" → how many messages they have not seen
};

/** Which channels a person finds in their sidebar: public ones, and others they are a member of. */
export function channelsOf(personId) {
  const outsider = state.workspace.people.find((one) => one.id === personId)?.role === "outsider";
  const guest = state.workspace.people.find((one) => one.id === personId)?.role === "guest";
  return state.workspace.channels.filter(
    (channel) => channel.members.includes(personId) || (channel.kind === "public" && !outsider && !guest),
  );
}

export const currentChannel = () => state.workspace?.channels.find((one) => one.id === state.channel) ?? null;
export const isMember = (channel) => channel.members.includes(state.me);

/** Whether the open conversation is the DM of the person with the bot, which has a Home tab. */
export const isBotDm = (channel) => channel?.kind === "dm" && channel.members.includes(state.workspace.bot.user_id);

/** The look-ups that texts and menus need; always about the workspace as it is now. */
export const people = {
  get me() {
    return state.me;
  },
  person: (id) => state.workspace.people.find((one) => one.id === id) ?? botAsPerson(id),
  everybody: () => state.workspace.people.filter((one) => one.role !== "deactivated"),
  channel: (id) => channelsOf(state.me).find((one) => one.id === id) ?? null,
  channels: () => channelsOf(state.me),
  group: (id) => (state.workspace.groups ?? []).find((one) => one.id === id) ?? null,
  linkTo: (channelId) => placeHash(state.me, channelId, null),
};

function botAsPerson(id) {
  const { bot } = state.workspace;
  if (id !== bot.user_id) return null;
  return {
    id,
    name: bot.name,
    real_name: bot.real_name ?? bot.name,
    role: "bot",
    initials: bot.name.slice(0, 1).toUpperCase(),
    color: "#4a5568",
  };
}

export const placeHash = (me, channel, thread) =>
  `#${[me, channel, thread].filter(Boolean).map(encodeURIComponent).join("/")}`;

/** Goes somewhere; the address of the page follows, so that back, reload and a shared link work. */
export function go({ me = state.me, channel = state.channel, thread = null, tab = "messages" }) {
  const open = channelsOf(me).some((one) => one.id === channel) ? channel : (counterpart(channel, me) ?? homeOf(me));
  state.tab = tab;
  const hash = placeHash(me, open, open === channel ? thread : null);
  if (location.hash === hash) readPlace();
  else location.hash = hash;
}

/** A person's own conversation with the bot, for somebody who was looking at another's. */
function counterpart(channelId, personId) {
  const from = state.workspace.channels.find((one) => one.id === channelId);
  return isBotDm(from) ? (channelsOf(personId).find(isBotDm)?.id ?? null) : null;
}

/** Where a person starts: the first channel they are in, else their first at all. */
const homeOf = (personId) =>
  (channelsOf(personId).find((one) => one.members.includes(personId)) ?? channelsOf(personId)[0])?.id ?? null;

/** Takes the place from the page's address; what does not exist falls back to the nearest that does. */
export function readPlace() {
  const [me, channel, thread] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const persons = state.workspace.people.filter((one) => one.role !== "bot");
  const before = [state.me, state.channel];
  state.me = persons.some((one) => one.id === me) ? me : (state.me ?? persons[0].id);
  state.channel = channelsOf(state.me).some((one) => one.id === channel) ? channel : homeOf(state.me);
  state.thread = state.channel === channel && thread ? thread : null;
  if (before[0] !== state.me || before[1] !== state.channel) state.refusal = null;
  if (before[0] !== state.me) Object.assign(state, { views: [], home: null });
  emit("place");
}
