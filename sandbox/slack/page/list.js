// A scrolling list of messages: grouped by day and author, kept at its end while the reader is there.
import { dayKey, dayName, fromTs } from "./dates.js";
import { el, reconcile } from "./dom.js";
import { MessageView } from "./message.js";

const GROUP_SECONDS = 300; // messages of one author within this time share a head
const NEAR_END = 40; // pixels

const views = new WeakMap();

const together = (before, message) =>
  before &&
  before.user === message.user &&
  !before.command === !message.command &&
  Boolean(before.ephemeral) === Boolean(message.ephemeral) &&
  !before.reply_count &&
  Number(message.ts) - Number(before.ts) < GROUP_SECONDS &&
  dayKey(fromTs(before.ts)) === dayKey(fromTs(message.ts));

/**
 * {node, show(messages, place)}: `place` {key, channel, names, empty} says what is shown: a new key starts at the
 * end, new names draw everything again, `empty` are the words for no messages.
 * where: "channel" or "thread"; openThread(ts) or null.
 */
export function messageList({ where, label, openThread }) {
  const items = el("div", { class: "message-items" });
  const scroller = el(
    "div",
    {
      class: "scroller",
      role: "log",
      "aria-label": label,
      "aria-relevant": "additions",
      tabindex: 0,
      onscroll: scrolled,
    },
    items,
  );
  const jump = el("button", { class: "jump", type: "button", hidden: true, onclick: toEnd }, "New messages ↓");
  const node = el("div", { class: "message-list" }, scroller, jump);
  let shown = null;
  let names = null;
  let newest = "0";
  let atEnd = true;

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
  }

  function scrolled() {
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    if (atEnd) jump.hidden = true;
  }

  const keep = new ResizeObserver(() => atEnd && toEnd());
  keep.observe(items);
  keep.observe(scroller);

  function rows(messages, place) {
    const out = [];
    let before = null;
    for (const [index, message] of messages.entries()) {
      const date = fromTs(message.ts);
      const day = dayKey(date);
      if (!before || dayKey(fromTs(before.ts)) !== day) {
        if (where === "channel")
          out.push({ key: `day ${day}`, signature: dayName(date), kind: "day", text: dayName(date) });
        before = null;
      }
      const compact = Boolean(together(before, message));
      out.push({
        key: `${place.key} ${message.ts}`,
        kind: "message",
        message: { ...message, compact },
        channel: place.channel,
        signature: JSON.stringify([message, compact]),
      });
      if (where === "thread" && index === 0) {
        const count = messages.length - 1;
        const text = count === 0 ? "No replies yet" : `${count} ${count === 1 ? "reply" : "replies"}`;
        out.push({ key: "replies", signature: text, kind: "day", text });
        before = null;
      } else {
        before = message;
      }
    }
    if (!messages.length) out.push({ key: "empty", signature: place.empty, kind: "note", text: place.empty });
    return out;
  }

  function draw(item, existing) {
    if (item.kind === "day") return el("div", { class: "day", role: "separator" }, el("span", {}, item.text));
    if (item.kind === "note") return el("p", { class: "empty" }, item.text);
    const view = (existing && views.get(existing)) ?? new MessageView(where, openThread);
    view.update(item.message, item.channel);
    views.set(view.node, view);
    return view.node;
  }

  function show(messages, place) {
    const fresh = place.key !== shown;
    if (fresh) atEnd = true;
    if (fresh || place.names !== names) items.replaceChildren();
    names = place.names;
    const stay = atEnd;
    reconcile(items, rows(messages, place), draw);
    const last = messages.at(-1)?.ts ?? "0";
    if (stay) toEnd();
    else if (Number(last) > Number(newest)) jump.hidden = false;
    if (fresh) jump.hidden = true;
    newest = last;
    shown = place.key;
  }

  return { node, show };
}
