// One message: who, when, what, and everything that hangs on it. An edit redraws only what it changed.
import { avatar, personOrId } from "./avatar.js";
import { renderBlocks } from "./blocks.js";
import { dayAndTime, fromTs, fullTime, timeOf } from "./dates.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { file } from "./media.js";
import { link } from "./mentions.js";
import { mrkdwn } from "./mrkdwn.js";
import { people, state } from "./state.js";
import { makeSurface } from "./surface.js";

const surfaces = new Map(); // "person channel ts" → surface, so that typed values outlive a redraw

function surfaceOf(channel, ts, where) {
  const key = `${state.me} ${channel} ${ts} ${where}`;
  if (!surfaces.has(key)) surfaces.set(key, makeSurface("message", { channel, ts }, `${where}-${ts}`));
  return surfaces.get(key);
}

function attachment(item) {
  const colour = /^#?[0-9a-f]{6}$/i.test(item.color ?? "") ? `#${item.color.replace("#", "")}` : null;
  return el("div", { class: "attachment", style: colour ? { "--bar": colour } : {} },
    item.pretext ? el("div", { class: "text" }, mrkdwn(item.pretext, people)) : null,
    item.title ? el("div", { class: "attachment-title" }, item.title_link ? link(item.title_link, item.title) : item.title) : null,
    item.text ? el("div", { class: "text" }, mrkdwn(item.text, people)) : null,
    item.fields?.length ? el("div", { class: "section-fields" }, item.fields.map((field) => el("div", { class: "text" }, el("strong", {}, field.title), el("br"), mrkdwn(field.value ?? "", people)))) : null,
    !item.text && !item.title && !item.fields ? el("div", { class: "text" }, item.fallback ?? "") : null);
}

function reactions(items) {
  return el("div", { class: "reactions" }, items.map((item) => {
    const names = (item.users ?? []).map((id) => personOrId(people, id).name).join(", ");
    return el("span", { class: `reaction${item.users?.includes(state.me) ? " mine" : ""}`, title: `${names} reacted with :${item.name}:` }, emoji(item.name),
      el("span", {}, String(item.count ?? item.users?.length ?? 1)));
  }));
}

function threadFooter(message, openThread) {
  const count = message.reply_count;
  const last = message.latest_reply ? `Last reply ${dayAndTime(fromTs(message.latest_reply))}` : "";
  const faces = [...new Set(message.reply_users ?? [])].slice(0, 3).map((id) => avatar(personOrId(people, id), "tiny"));
  return el("button", { class: "thread-footer", type: "button", dataset: { focus: `replies ${message.ts}` }, onclick: () => openThread(message.ts) },
    faces, el("span", { class: "thread-count" }, `${count} ${count === 1 ? "reply" : "replies"}`), el("span", { class: "muted" }, last));
}

/** Which author a message shows; an app may name itself for one message. */
function author(message) {
  const person = personOrId(people, message.user);
  return message.username ? { ...person, real_name: message.username } : person;
}

export class MessageView {
  #where;
  #openThread;
  #blocks = el("div", { class: "blocks" });
  #content = el("div", { class: "message-content" });
  #blocksJson = null;

  /** where: "channel" or "thread"; openThread(ts): what "Reply in thread" does, null inside a thread. */
  constructor(where, openThread) {
    this.#where = where;
    this.#openThread = openThread;
    this.node = el("div", { class: "message", role: "article" });
  }

  update(message, channel, compact) {
    const { node } = this;
    const person = author(message);
    const when = fromTs(message.ts);
    const own = message.command !== undefined && message.command !== null;
    node.dataset.ts = message.ts;
    node.className = ["message", compact ? "compact" : "", message.ephemeral ? "ephemeral" : "", own ? "typed-command" : ""].filter(Boolean).join(" ");
    node.setAttribute("aria-label", `${person.real_name}, ${fullTime(when)}`);
    this.#drawContent(message, channel);
    const time = el("time", { class: "message-time", datetime: when.toISOString(), title: fullTime(when) }, timeOf(when));
    const bot = message.user === state.workspace.bot.user_id || message.bot_id;
    const main = el("div", { class: "message-main" },
      message.ephemeral ? el("div", { class: "only-you" }, icon("eye"), "Only visible to you") : null,
      compact ? null : el("div", { class: "message-head" }, el("span", { class: "message-author", title: person.name }, el("bdi", {}, person.real_name)),
        bot ? el("span", { class: "badge" }, "APP") : null, time),
      this.#content,
      message.files?.length ? el("div", { class: "files" }, message.files.map(file)) : null,
      message.attachments?.length ? message.attachments.map(attachment) : null,
      message.reactions?.length ? reactions(message.reactions) : null,
      message.reply_count && this.#openThread ? threadFooter(message, this.#openThread) : null,
      message.error ? el("div", { class: "slack-error", role: "alert" }, icon("warning"), el("span", {}, message.error)) : null);
    const tools = this.#openThread && !message.ephemeral && !own
      ? el("div", { class: "message-tools" }, el("button", { type: "button", class: "tool", "aria-label": "Reply in thread", title: "Reply in thread", dataset: { focus: `reply ${message.ts}` }, onclick: () => this.#openThread(message.ts) }, icon("thread")))
      : null;
    this.#replace(el("div", { class: "gutter" }, compact ? time : avatar(person)), main, tools);
    node.classList.toggle("pings-me", !own && node.querySelector(".mention-me") !== null);
  }

  /** Swaps what is around the content, and puts the focus back if it was there; the content node itself stays. */
  #replace(...children) {
    const active = document.activeElement;
    const held = this.node.contains(active) ? active : null;
    this.node.replaceChildren(...children.filter(Boolean));
    if (!held) return;
    const again = held.isConnected ? held : this.node.querySelector(`[data-focus="${CSS.escape(held.dataset.focus ?? "")}"]`);
    if (again && again !== document.activeElement) again.focus({ preventScroll: true });
  }

  #drawContent(message, channel) {
    const content = this.#content;
    if (message.blocks?.length) {
      const surface = surfaceOf(channel, message.ts, this.#where);
      surface.form.adopt(message.blocks, message.state?.values);
      if (content.firstChild !== this.#blocks) content.replaceChildren(this.#blocks);
      renderBlocks(this.#blocks, message.blocks, surface);
      return;
    }
    const json = JSON.stringify([message.text, message.command, message.edited]);
    if (json === this.#blocksJson && content.firstChild !== this.#blocks) return;
    this.#blocksJson = json;
    const text = message.command ? el("code", { class: "command-line" }, message.command) : textOf(message);
    content.replaceChildren(...[el("div", { class: "text" }, text, message.edited ? el("span", { class: "edited", title: "This message was edited" }, " (edited)") : null)]);
  }
}

function textOf(message) {
  return message.text ? mrkdwn(message.text, people) : null;
}
