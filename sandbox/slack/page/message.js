// One message: who, when, what, and everything that hangs on it. An edit redraws only what it changed.
import { avatar, personOrId } from "./avatar.js";
import { renderBlocks } from "./blocks.js";
import { dayAndTime, fromTs, fullTime, timeOf } from "./dates.js";
import { el, reconcile } from "./dom.js";
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
  return el(
    "div",
    { class: "attachment", style: colour ? { "--bar": colour } : {} },
    item.pretext ? el("div", { class: "text" }, mrkdwn(item.pretext, people)) : null,
    item.title
      ? el("div", { class: "attachment-title" }, item.title_link ? link(item.title_link, item.title) : item.title)
      : null,
    item.text ? el("div", { class: "text" }, mrkdwn(item.text, people)) : null,
    item.fields?.length
      ? el(
          "div",
          { class: "section-fields" },
          item.fields.map((field) =>
            el("div", { class: "text" }, el("strong", {}, field.title), el("br"), mrkdwn(field.value ?? "", people)),
          ),
        )
      : null,
    !item.text && !item.title && !item.fields ? el("div", { class: "text" }, item.fallback ?? "") : null,
  );
}

function reactions(items) {
  return el(
    "div",
    { class: "reactions" },
    items.map((item) => {
      const names = (item.users ?? []).map((id) => personOrId(people, id).name).join(", ");
      return el(
        "span",
        {
          class: `reaction${item.users?.includes(state.me) ? " mine" : ""}`,
          title: `${names} reacted with :${item.name}:`,
        },
        emoji(item.name),
        el("span", {}, String(item.count ?? item.users?.length ?? 1)),
      );
    }),
  );
}

function threadFooter(message, openThread) {
  const count = message.reply_count;
  const last = message.latest_reply ? `Last reply ${dayAndTime(fromTs(message.latest_reply))}` : "";
  const faces = [...new Set(message.reply_users ?? [])].slice(0, 3).map((id) => avatar(personOrId(people, id), "tiny"));
  return el(
    "button",
    {
      class: "thread-footer",
      type: "button",
      dataset: { focus: `replies ${message.ts}` },
      onclick: () => openThread(message.ts),
    },
    faces,
    el("span", { class: "thread-count" }, `${count} ${count === 1 ? "reply" : "replies"}`),
    el("span", { class: "muted" }, last),
  );
}

/** Which author a message shows; an app may name itself for one message. */
function author(message) {
  const person = personOrId(people, message.user);
  return message.username ? { ...person, real_name: message.username } : person;
}

/** What stands around a message's content, by name, in order; null leaves a part out. */
function partsOf(message, person, when, openThread) {
  const bot = message.user === state.workspace.bot.user_id;
  return {
    only: message.ephemeral && (() => el("div", { class: "only-you" }, icon("eye"), "Only visible to you")),
    head:
      !message.compact &&
      (() =>
        el(
          "div",
          { class: "message-head" },
          el("span", { class: "message-author", title: person.name }, el("bdi", {}, person.real_name)),
          bot ? el("span", { class: "badge" }, "APP") : null,
          timeNode(when),
        )),
    content: null,
    files: message.files?.length && (() => el("div", { class: "files" }, message.files.map(file))),
    attachments: message.attachments?.length && (() => el("div", {}, message.attachments.map(attachment))),
    reactions: message.reactions?.length && (() => reactions(message.reactions)),
    replies: message.reply_count && openThread && (() => threadFooter(message, openThread)),
    error:
      message.error &&
      (() => el("div", { class: "slack-error", role: "alert" }, icon("warning"), el("span", {}, message.error))),
  };
}

const timeNode = (when) =>
  el("time", { class: "message-time", datetime: when.toISOString(), title: fullTime(when) }, timeOf(when));

const replyTool = (message, openThread) =>
  el(
    "div",
    { class: "message-tools" },
    el(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": "Reply in thread",
        title: "Reply in thread",
        dataset: { focus: `reply ${message.ts}` },
        onclick: () => openThread(message.ts),
      },
      icon("thread"),
    ),
  );

export class MessageView {
  #where;
  #openThread;
  #gutter = el("div", { class: "gutter" });
  #main = el("div", { class: "message-main" });
  #blocks = el("div", { class: "blocks" });
  #content = el("div", { class: "message-content" });
  #shownText = null;

  /** where: "channel" or "thread"; openThread(ts): what "Reply in thread" does, null inside a thread. */
  constructor(where, openThread) {
    this.#where = where;
    this.#openThread = openThread;
    this.node = el("div", { class: "message", role: "article" }, this.#gutter, this.#main);
  }

  /** message: as the workspace gives it, and `compact`: whether it goes without a head of its own. */
  update(message, channel) {
    const person = author(message);
    const when = fromTs(message.ts);
    const typed = Boolean(message.command);
    this.node.dataset.ts = message.ts;
    this.node.className = [
      "message",
      message.compact && "compact",
      message.ephemeral && "ephemeral",
      typed && "typed-command",
    ]
      .filter(Boolean)
      .join(" ");
    this.node.setAttribute("aria-label", `${person.real_name}, ${fullTime(when)}`);
    this.#gutter.replaceChildren(message.compact ? timeNode(when) : avatar(person));
    this.#drawContent(message, channel);
    const parts = partsOf(message, person, when, this.#openThread);
    const items = Object.entries(parts)
      .filter(([name, make]) => make || name === "content")
      .map(([key, make]) => ({
        key,
        make,
        signature:
          key === "content"
            ? ""
            : JSON.stringify([
                key === "head" ? [person, message.ts] : message[key === "replies" ? "latest_reply" : key],
                message.reply_count,
              ]),
      }));
    reconcile(this.#main, items, ({ make }) => (make ? make() : this.#content));
    if (this.#openThread && !message.ephemeral && !typed && !this.#tools) {
      this.#tools = replyTool(message, this.#openThread);
      this.node.append(this.#tools);
    }
    this.node.classList.toggle("pings-me", !typed && this.#content.querySelector(".mention-me") !== null);
  }

  #tools = null;

  #drawContent(message, channel) {
    const content = this.#content;
    if (message.blocks?.length) {
      const surface = surfaceOf(channel, message.ts, this.#where);
      surface.form.adopt(message.blocks, message.state?.values);
      if (content.firstChild !== this.#blocks) content.replaceChildren(this.#blocks);
      renderBlocks(this.#blocks, message.blocks, surface);
      return;
    }
    const text = JSON.stringify([message.text, message.command, message.edited]);
    if (text === this.#shownText && content.firstChild !== this.#blocks) return;
    this.#shownText = text;
    content.replaceChildren(
      el(
        "div",
        { class: "text" },
        message.command ? el("code", { class: "command-line" }, message.command) : mrkdwn(message.text ?? "", people),
        message.edited ? el("span", { class: "edited", title: "This message was edited" }, " (edited)") : null,
      ),
    );
  }
}
