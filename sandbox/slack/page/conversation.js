// The open channel: its head, Home and Messages tabs in the app's DM, messages, the thread beside it, and the fields.
import * as api from "./api.js";
import { avatar, roleWords } from "./avatar.js";
import { composer } from "./composer.js";
import { el } from "./dom.js";
import { appHome } from "./home.js";
import { icon } from "./icons.js";
import { messageList } from "./list.js";
import { otherIn, titleOf } from "./sidebar.js";
import { currentChannel, emit, go, isBotDm, isMember, on, people, state } from "./state.js";

const ICONS = { public: "hash", private: "lock", shared: "shared" };

/** Names in messages change with the workspace; a list redraws what shows them. */
const names = () => JSON.stringify([state.workspace.people, state.workspace.groups, state.workspace.channels.map((one) => [one.id, one.name])]);

function openThread(ts) {
  go({ thread: ts });
}

/** Why a person cannot write here, or null. */
function silence(channel) {
  const me = people.person(state.me);
  if (me.role === "deactivated") return `${me.real_name}’s account is deactivated.`;
  if (!isMember(channel)) return `${me.real_name} is not a member of #${channel.name} and only reads along.`;
  return null;
}

export function conversation(main, aside) {
  const face = el("span", { class: "head-face" });
  const title = el("h1", { id: "channel-title" });
  const topic = el("span", { class: "head-topic" });
  const count = el("span", { class: "head-members" });
  const tab = (name, words) => el("button", { type: "button", role: "tab", class: "tab", dataset: { tab: name }, onclick: () => {
    state.tab = name;
    emit("place");
  } }, words);
  const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "Views of the app", onkeydown: turnTab }, tab("home", "Home"), tab("messages", "Messages"));
  const list = messageList({ where: "channel", label: "Messages", openThread, empty: "Nothing has been said here yet." });
  const field = composer({ hints: true });
  const quiet = el("p", { class: "quiet-note", role: "note" });
  const home = appHome();
  main.append(el("header", { class: "conversation-head" }, el("div", { class: "head-title" }, face, title), topic, count), tabs, list.node, home.node, quiet, field.node);

  const replies = messageList({ where: "thread", label: "Thread", openThread: null, empty: "This thread is gone." });
  const answer = composer({ hints: false });
  const from = el("span", { class: "muted" });
  aside.append(el("header", { class: "conversation-head" }, el("h2", { id: "thread-title", class: "thread-title", tabindex: -1 }, "Thread"), from,
    el("button", { type: "button", class: "tool", "aria-label": "Close thread", title: "Close thread (Esc)", onclick: closeThread }, icon("close"))), replies.node, answer.node);
  aside.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    closeThread();
  });
  let threadShown = null;

  function turnTab(event) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    state.tab = state.tab === "home" ? "messages" : "home";
    emit("place");
    tabs.querySelector('[aria-selected="true"]').focus();
  }

  function closeThread() {
    go({ thread: null });
    field.focus();
  }

  function drawHead(channel) {
    const dm = channel.kind === "dm";
    face.replaceChildren(dm ? avatar(otherIn(channel), "small") : icon(ICONS[channel.kind] ?? "hash"));
    title.replaceChildren(titleOf(channel));
    topic.textContent = dm ? roleWords(otherIn(channel)) : channel.topic;
    count.textContent = dm ? "" : `${channel.members.length} members`;
    count.title = channel.members.map((id) => people.person(id)?.real_name ?? id).join(", ");
    document.title = `${channel.kind === "dm" ? "" : "#"}${titleOf(channel)} · ${state.workspace.team.name}`;
  }

  function drawPlace() {
    const channel = currentChannel();
    main.classList.toggle("nowhere", channel === null);
    if (!channel) return;
    drawHead(channel);
    const withTabs = isBotDm(channel);
    const onHome = withTabs && state.tab === "home";
    tabs.hidden = !withTabs;
    for (const one of tabs.children) {
      const chosen = one.dataset.tab === (onHome ? "home" : "messages");
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
    }
    home.node.hidden = !onHome;
    list.node.hidden = onHome;
    const why = silence(channel);
    quiet.hidden = onHome || why === null;
    quiet.textContent = why ?? "";
    const place = { key: `${state.me} ${channel.id}`, person: state.me, label: `Message ${channel.kind === "dm" ? titleOf(channel) : `#${channel.name}`}`, send: (text) => api.say(state.me, channel.id, text) };
    field.place(onHome || why ? null : place);
    aside.hidden = state.thread === null;
    document.body.classList.toggle("thread-open", state.thread !== null);
    from.textContent = channel.kind === "dm" ? titleOf(channel) : `#${channel.name}`;
    const thread = state.thread;
    answer.place(thread && !why ? { key: `${state.me} ${channel.id} ${thread}`, person: state.me, label: "Reply…", send: (text) => api.say(state.me, channel.id, text, thread) } : null);
    const opened = thread && `${state.me} ${channel.id} ${thread}`;
    if (opened && threadShown !== opened) answer.focus();
    threadShown = opened;
  }

  function drawMessages() {
    if (state.messagesOf !== `${state.me} ${state.channel}`) return;
    list.show(state.messages, { key: state.messagesOf, channel: state.channel, names: names() });
  }

  function drawThread() {
    if (!state.thread || state.repliesOf !== `${state.me} ${state.channel} ${state.thread}`) return;
    replies.show(state.replies, { key: state.repliesOf, channel: state.channel, names: names() });
  }

  on(["place", "workspace"], () => {
    if (state.me) drawPlace();
  });
  on(["messages", "workspace"], drawMessages);
  on(["thread", "workspace"], drawThread);
  on(["views", "place"], () => home.show(state.home));
  return { focus: field.focus };
}
