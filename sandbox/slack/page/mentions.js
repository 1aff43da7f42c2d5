// The sequences between angle brackets that act in Slack: people, channels, broadcasts, dates and links.
import { dateTemplate, fullTime } from "./dates.js";
import { el } from "./dom.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** Only these three are entities in Slack's text; `&quot;` stays as it is. */
export const decode = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

const SAFE_LINK = /^(?:https?:\/\/|mailto:|tel:)[^\s]/i;

/** A link that opens in a tab of its own, or plain text when the address is not of a kind that Slack links. */
export function link(url, content) {
  if (!SAFE_LINK.test(url)) return el("span", {}, content);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", class: "link" }, content);
}

const chip = (kind, pings, text, props = {}) =>
  el("span", { class: `mention mention-${kind}${pings ? " mention-me" : ""}`, ...props }, el("bdi", {}, text));

export function userMention(id, fallback, people) {
  const person = people.person(id);
  return chip("user", id === people.me, `@${person?.name ?? fallback ?? id}`, { title: person?.real_name ?? id });
}

export function channelMention(id, fallback, people) {
  const channel = people.channel(id);
  if (!channel) return chip("channel", false, fallback ? `#${fallback}` : "#private-channel", { title: id });
  return el("a", { class: "mention mention-channel", href: people.linkTo(id) }, "#", el("bdi", {}, channel.name));
}

/** kind: here, channel or everyone; each notifies the reader too. */
export const broadcast = (kind) =>
  chip("broadcast", true, `@${kind}`, { title: "Notifies the people in this channel" });

export function groupMention(id, fallback, people) {
  const group = people.group(id);
  const text = fallback ?? (group ? `@${group.handle}` : `@${id}`);
  return chip("group", group?.users.includes(people.me) ?? false, text, { title: `User group ${id}` });
}

export function dateNode(epoch, template, url, fallback) {
  const text = dateTemplate(epoch, template);
  if (text === null) return document.createTextNode(fallback);
  const date = new Date(Number(epoch) * 1000);
  const node = el("time", { datetime: date.toISOString(), title: fullTime(date) }, text);
  return url ? link(url, node) : node;
}

/**
 * The node for `<inner>`, or null when Slack would show it as text. `inner` still holds entities.
 * people: {me, person(id), channel(id), group(id), linkTo(channelId)}.
 */
export function angle(inner, people) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? null : decode(inner.slice(bar + 1)) || null;
  const user = /^@([UW][A-Z0-9]+)$/.exec(target);
  if (user) return userMention(user[1], label, people);
  const channel = /^#([CGD][A-Z0-9]+)$/.exec(target);
  if (channel) return channelMention(channel[1], label, people);
  const special = /^!(here|channel|everyone)$/.exec(target);
  if (special) return broadcast(special[1]);
  const group = /^!subteam\^(S[A-Z0-9]+)$/.exec(target);
  if (group) return groupMention(group[1], label, people);
  const date = /^!date\^(-?\d+)\^([^^]*)(?:\^(.*))?$/.exec(target);
  if (date) return dateNode(date[1], decode(date[2]), date[3] ? decode(date[3]) : null, label ?? "");
  if (target.startsWith("!") && label) return document.createTextNode(`<${label}>`);
  const url = decode(target);
  if (SAFE_LINK.test(url)) return link(url, label ?? url.replace(/^mailto:/i, ""));
  return null;
}
