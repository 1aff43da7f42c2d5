// The rich_text block. Its text is literal: no marks, no entities, no auto-parsing.
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { broadcast, channelMention, dateNode, groupMention, link, userMention } from "./mentions.js";

/** Where lines of code are scrolled sideways (text.css), the keyboard has to reach them. */
const NARROW = matchMedia("(width <= 760px)");

function styled(node, style = {}) {
  let result = node;
  if (style.code) result = el("code", {}, result);
  if (style.underline) result = el("u", {}, result);
  if (style.strike) result = el("s", {}, result);
  if (style.italic) result = el("em", {}, result);
  if (style.bold) result = el("strong", {}, result);
  return result;
}

const LEAVES = {
  text: (item) => item.text,
  link: (item) => link(item.url, item.text || item.url),
  emoji: (item) => emoji(item.name),
  user: (item, people) => userMention(item.user_id, null, people),
  usergroup: (item, people) => groupMention(item.usergroup_id, null, people),
  channel: (item, people) => channelMention(item.channel_id, null, people),
  broadcast: (item) => broadcast(item.range),
  date: (item) => dateNode(item.timestamp, item.format, item.url, item.fallback ?? ""),
  color: (item) =>
    el(
      "span",
      { class: "swatch-text" },
      el("span", { class: "swatch", style: { "--swatch": colour(item.value) } }),
      item.value,
    ),
};

/** Only a literal hexadecimal colour may reach a style. */
const colour = (value) => (/^#[0-9a-f]{3,8}$/i.test(value) ? value : "transparent");

const leaves = (items, people) =>
  (items ?? []).map((item) =>
    Object.hasOwn(LEAVES, item.type) ? styled(LEAVES[item.type](item, people), item.style) : null,
  );

/** Consecutive lists of one style, nested by their indent (0–8), a number continuing at its `offset`. */
function list(item, people) {
  const start = (item.offset ?? 0) + 1;
  return el(
    item.style === "ordered" ? "ol" : "ul",
    {
      class: `rich-list indent-${Math.min(item.indent ?? 0, 8)}${item.border ? " bordered" : ""}`,
      start: item.style === "ordered" ? start : null,
    },
    item.elements.map((entry) => el("li", {}, leaves(entry.elements, people))),
  );
}

const PARTS = {
  rich_text_section: (item, people) => el("div", { class: "rich-section" }, leaves(item.elements, people)),
  rich_text_preformatted: (item, people) =>
    el("pre", NARROW.matches ? { tabindex: 0 } : {}, leaves(item.elements, people)),
  rich_text_quote: (item, people) => el("blockquote", {}, leaves(item.elements, people)),
  rich_text_list: list,
};

/** The node of a rich_text block ({elements}); parts of an unknown type are left out. */
export function richText(block, people) {
  return el(
    "div",
    { class: "rich-text" },
    (block.elements ?? []).map((item) => (Object.hasOwn(PARTS, item.type) ? PARTS[item.type](item, people) : null)),
  );
}
