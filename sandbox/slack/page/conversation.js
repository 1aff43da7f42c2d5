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
const names = () =>
  JSON.stringify([
    state.workspace.people,
    state.workspace.groups,
    state.workspace.channels.map((one) => [one.id, one.name]),
  ]);

function openThread(ts) {
  go({ thread: ts });
}

export function conversation(main, aside) {
  const face = el("span", { class: "head-face" });
  const title = el("h1", { id: "channel-title" });
  const topic = el("span", { class: "head-topic" });
  const count = el("span", { class: "head-members" });
  const tab = (name, words) =>
    el(
      "button",
      { type: "button", role: "tab", class: "tab", dataset: { tab: name }, onclick: () => turnTo(name) },
      words,
    );
  const tabs = el(
    "div",
    { class: "tabs", role: "tablist", "aria-label": "Views of the app", onkeydown: turnTab },
    tab("home", "Home"),
    tab("messages", "Messages"),
  );
  const list = messageList({ where: "channel", label: "Messages", openThread });
  const field = composer({ hints: true });
  const quietWords = el("span");
  const joinButton = el("button", { type: "button", class: "button", onclick: join }, "Join channel");
  const quiet = el("div", { class: "quiet-note", role: "note" }, quietWords, joinButton);
  const home = appHome();
  main.append(
    el("header", { class: "conversation-head" }, el("div", { class: "head-title" }, face, title), topic, count),
    tabs,
    list.node,
    home.node,
    quiet,
    field.node,
  );

  const replies = messageList({ where: "thread", label: "Thread", openThread: null });
  const answer = composer({ hints: false });
  const from = el("span", { class: "muted" });
  aside.append(
    el(
      "header",
      { class: "conversation-head" },
      el("h2", { id: "thread-title", class: "thread-title", tabindex: -1 }, "Thread"),
      from,
      el(
        "button",
        {
          type: "button",
          class: "tool",
          "aria-label": "Close thread",
          title: "Close thread (Esc)",
          onclick: closeThread,
        },
        icon("close"),
      ),
    ),
    replies.node,
    answer.node,
  );
  aside.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    closeThread();
  });
  let threadShown = null;
  let told = null;

  function turnTo(name) {
    state.tab = name;
    emit("place");
  }

  async function join() {
    try {
      await api.join(state.me, state.channel);
      field.focus();
    } catch (error) {
      quietWords.textContent = error.message;
    }
  }

  /** The app is told once for each time somebody opens its Home or its messages. */
  function tellApp(channel) {
    const opened = isBotDm(channel) ? `${state.me} ${state.tab}` : null;
    // A refusal is shown with the messages.
    if (opened && opened !== told) api.openHome(state.me, state.tab).catch(() => {});
    told = opened;
  }

  function turnTab(event) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    turnTo(state.tab === "home" ? "messages" : "home");
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
    const withTabs = isBotDm(channel) && state.workspace.home_tab;
    const onHome = withTabs && state.tab === "home";
    tabs.hidden = !withTabs;
    for (const one of tabs.children) {
      const chosen = one.dataset.tab === (onHome ? "home" : "messages");
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
    }
    home.node.hidden = !onHome;
    list.node.hidden = onHome;
    const outside = !isMember(channel);
    const why = state.refusal ?? (outside ? `${people.person(state.me).real_name} is not in #${channel.name}.` : null);
    quiet.hidden = onHome || why === null;
    quietWords.textContent = why ?? "";
    joinButton.hidden = state.refusal !== null;
    tellApp(channel);
    const place = {
      key: `${state.me} ${channel.id}`,
      person: state.me,
      label: `Message ${channel.kind === "dm" ? titleOf(channel) : `#${channel.name}`}`,
      send: (text) => api.say(state.me, channel.id, text),
    };
    field.place(onHome || why ? null : place);
    aside.hidden = state.thread === null;
    document.body.classList.toggle("thread-open", state.thread !== null);
    from.textContent = channel.kind === "dm" ? titleOf(channel) : `#${channel.name}`;
    const thread = state.thread;
    answer.place(
      thread && !why
        ? {
            key: `${state.me} ${channel.id} ${thread}`,
            person: state.me,
            label: "Reply…",
            send: (text) => api.say(state.me, channel.id, text, thread),
          }
        : null,
    );
    const opened = thread && `${state.me} ${channel.id} ${thread}`;
    if (opened && threadShown !== opened) answer.focus();
    threadShown = opened;
  }

  function drawMessages() {
    if (state.messagesOf !== `${state.me} ${state.channel}`) return;
    drawPlace();
    list.show(state.messages, {
      key: state.messagesOf,
      channel: state.channel,
      names: names(),
      empty: state.refusal ? "" : "Nothing has been said here yet. Type / to see the app's commands.",
    });
  }

  function drawThread() {
    if (!state.thread || state.repliesOf !== `${state.me} ${state.channel} ${state.thread}`) return;
    replies.show(state.replies, {
      key: state.repliesOf,
      channel: state.channel,
      names: names(),
      empty: "This thread is gone.",
    });
  }

  on(["place", "workspace"], () => {
    if (state.me) drawPlace();
  });
  on(["messages", "workspace"], drawMessages);
  on(["thread", "workspace"], drawThread);
  on(["views", "place"], () => home.show(state.home));
  return { focus: field.focus };
}
