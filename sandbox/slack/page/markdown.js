// The markdown block: the common part of Markdown that Slack translates. HTML in it is text.
import { el, fragment } from "./dom.js";
import { emoji, isEmoji } from "./emoji.js";
import { angle, decode, link } from "./mentions.js";

const SPANS = [
  { pattern: /\\([\\`*_{}[\]()#+\-.!|~>])/y, node: (m) => m[1] },
  { pattern: /(`+)([^\n]*?[^`])\1(?!`)/y, node: (m) => el("code", {}, m[2]) },
  {
    pattern: /!?\[([^\]\n]*)\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+"[^"\n]*")?\)/y,
    node: (m, p) => link(m[2], m[0][0] === "!" ? m[1] || m[2] : spans(m[1], p)),
  },
  { pattern: /\*\*(?=\S)([^\n]+?\S|\S)\*\*/y, node: (m, p) => el("strong", {}, spans(m[1], p)) },
  { pattern: /__(?=\S)([^\n]+?\S|\S)__/y, word: true, node: (m, p) => el("strong", {}, spans(m[1], p)) },
  { pattern: /~~(?=\S)([^\n]+?\S|\S)~~/y, node: (m, p) => el("s", {}, spans(m[1], p)) },
  { pattern: /\*(?=\S)([^*\n]*?\S)\*/y, node: (m, p) => el("em", {}, spans(m[1], p)) },
  { pattern: /_(?=\S)([^_\n]*?\S)_(?![\p{L}\p{N}])/uy, word: true, node: (m, p) => el("em", {}, spans(m[1], p)) },
  { pattern: /<([^<>\n]+)>/y, node: (m, p) => angle(m[1], p) },
  { pattern: /:([a-z0-9_+'-]+):/y, node: (m) => (isEmoji(m[1]) ? emoji(m[1]) : null) },
  { pattern: /https?:\/\/[^\s<>|)]*[^\s<>|).,;:!?'"*_~]/iy, word: true, node: (m) => link(m[0], m[0]) },
];
const STARTS = /[\\`![*_~<:hH]/;
const WORD = /[\p{L}\p{N}]/u;

function spans(text, people) {
  const out = [];
  let plain = "";
  for (let index = 0; index < text.length;) {
    const hit = STARTS.test(text[index]) ? spanAt(text, index, people) : null;
    if (hit) {
      if (plain) out.push(decode(plain));
      plain = "";
      out.push(hit.node);
      index += hit.length;
    } else {
      plain += text[index];
      index += 1;
    }
  }
  if (plain) out.push(decode(plain));
  return out;
}

function spanAt(text, index, people) {
  for (const span of SPANS) {
    if (span.word && index && WORD.test(text[index - 1])) continue;
    span.pattern.lastIndex = index;
    const match = span.pattern.exec(text);
    const node = match && span.node(match, people);
    if (node) return { node, length: match[0].length };
  }
  return null;
}

const FENCE = /^\s*(`{3,}|~{3,})/;
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;
const RULE = /^\s*([-*_])\s*(?:\1\s*){2,}$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^\s*(?:>|&gt;) ?/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

const cells = (line) =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

function table(source, people) {
  const [head, , ...rows] = source;
  const row = (line, tag) =>
    el(
      "tr",
      {},
      cells(line).map((cell) => el(tag, {}, spans(cell, people))),
    );
  return el(
    "div",
    { class: "table-frame", tabindex: 0 },
    el(
      "table",
      {},
      el("thead", {}, row(head, "th")),
      el(
        "tbody",
        {},
        rows.map((line) => row(line, "td")),
      ),
    ),
  );
}

/** Nested lists from lines matched by ITEM; deeper indentation opens a list inside the item before it. */
function list(entries, people) {
  const root = { indent: -1, node: null };
  const open = [root];
  const top = [];
  for (const { indent, marker, text } of entries) {
    while (open.length > 1 && indent < open.at(-1).indent) open.pop();
    if (open.length === 1 || indent > open.at(-1).indent + 1) {
      const ordered = /\d/.test(marker);
      const node = el(ordered ? "ol" : "ul", { start: ordered ? Number.parseInt(marker, 10) : null });
      (open.at(-1).node?.lastElementChild ?? { append: (child) => top.push(child) }).append(node);
      open.push({ indent, node });
    }
    const task = /^\[([ xX])\]\s+/.exec(text);
    open
      .at(-1)
      .node.append(
        el(
          "li",
          { class: task ? "task" : null },
          task
            ? el("input", {
                type: "checkbox",
                checked: task[1] !== " ",
                disabled: true,
                "aria-label": task[1] === " " ? "to do" : "done",
              })
            : null,
          spans(task ? text.slice(task[0].length) : text, people),
        ),
      );
  }
  return top;
}

const DEEPEST_QUOTE = 8;

/** Markdown source as nodes; quotes nested deeper than DEEPEST_QUOTE keep their marks as text. */
export function markdown(source, people, depth = 0) {
  const lines = String(source).split("\n");
  const out = [];
  for (let index = 0; index < lines.length;) {
    const line = lines[index];
    const take = (matches) => {
      const from = index;
      while (index < lines.length && matches(lines[index])) index += 1;
      return lines.slice(from, index);
    };
    const fence = FENCE.exec(line);
    if (fence) {
      index += 1;
      const body = take((text) => !text.trim().startsWith(fence[1]));
      index += 1;
      out.push(el("pre", {}, body.join("\n")));
    } else if (HEADING.test(line)) {
      const [, marks, text] = HEADING.exec(line);
      out.push(
        el(
          "div",
          { class: `md-heading md-h${marks.length}`, role: "heading", "aria-level": Math.min(marks.length + 2, 6) },
          spans(text, people),
        ),
      );
      index += 1;
    } else if (RULE.test(line)) {
      out.push(el("hr"));
      index += 1;
    } else if (ITEM.test(line)) {
      const entries = take((text) => ITEM.test(text)).map((text) => ITEM.exec(text));
      out.push(
        ...list(
          entries.map(([, space, marker, text]) => ({ indent: space.replace(/\t/g, "    ").length, marker, text })),
          people,
        ),
      );
    } else if (QUOTE.test(line) && depth < DEEPEST_QUOTE) {
      const body = take((text) => QUOTE.test(text)).map((text) => text.replace(QUOTE, ""));
      out.push(el("blockquote", {}, markdown(body.join("\n"), people, depth + 1)));
    } else if (line.includes("|") && TABLE_RULE.test(lines[index + 1] ?? "")) {
      out.push(
        table(
          take((text) => text.includes("|")),
          people,
        ),
      );
    } else if (line.trim() === "") {
      index += 1;
    } else {
      const first = index;
      const body = take(
        (text) =>
          text.trim() !== "" &&
          (index === first || !(FENCE.test(text) || HEADING.test(text) || ITEM.test(text) || QUOTE.test(text))),
      );
      out.push(
        el(
          "p",
          {},
          body.flatMap((text, number) => [number ? el("br") : null, ...spans(text.trim(), people)]),
        ),
      );
    }
  }
  return fragment(out);
}
