// Slack's mrkdwn and plain text, as DOM nodes. Text of others stays text: nothing here is ever parsed as HTML.
// Bare addresses and names are no business of the page: the workspace has made them `<…>` sequences where Slack does.
import { el, fragment } from "./dom.js";
import { emoji, isEmoji } from "./emoji.js";
import { angle, decode } from "./mentions.js";

const TAGS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const STICKY = {
  angle: /<([^<>\n]+)>/y,
  code: /`([^`\n]+)`/y,
  emoji: /:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/y,
};

function at(pattern, text, index) {
  STICKY[pattern].lastIndex = index;
  return STICKY[pattern].exec(text);
}

const boundary = (character) => character === undefined || !WORD.test(character);

/**
 * Where a run opened by `mark` at `start` ends, or -1. Slack opens a run at a word's edge and closes it at one, on
 * the same line; code and angle sequences in between are skipped.
 */
function closing(text, start, mark) {
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text[index];
    if (character === "`" || character === "<") {
      const skipped = at(character === "<" ? "angle" : "code", text, index);
      if (skipped) index += skipped[0].length - 1;
    } else if (
      character === mark &&
      index > start + 1 &&
      !/\s/.test(text[index - 1]) &&
      text[index - 1] !== mark &&
      text[index + 1] !== mark &&
      boundary(text[index + 1])
    ) {
      return index;
    }
  }
  return -1;
}

/** One line's worth of nodes. `active` holds the marks that are already open. */
function inline(text, people, active = "") {
  const out = [];
  const hopeless = {};
  let plain = "";
  const flush = () => {
    if (plain) out.push(decode(plain));
    plain = "";
  };
  for (let index = 0; index < text.length;) {
    const character = text[index];
    const before = text[index - 1];
    let node = null;
    let length = 1;
    if (character === "<") {
      const found = at("angle", text, index);
      node = found && angle(found[1], people);
      if (node) length = found[0].length;
    } else if (character === "`") {
      const found = at("code", text, index);
      if (found) {
        node = el("code", {}, codeText(found[1], people));
        length = found[0].length;
      }
    } else if (character === ":") {
      const found = at("emoji", text, index);
      if (found && isEmoji(found[1])) {
        node = emoji(found[1]);
        length = found[0].length;
      }
    } else if (
      TAGS[character] &&
      !active.includes(character) &&
      !(index >= (hopeless[character] ?? Infinity)) &&
      boundary(before) &&
      text[index + 1] !== undefined &&
      !/\s/.test(text[index + 1]) &&
      text[index + 1] !== character
    ) {
      const end = closing(text, index, character);
      if (end > 0) {
        node = el(TAGS[character], {}, inline(text.slice(index + 1, end), people, active + character));
        length = end - index + 1;
      } else {
        hopeless[character] = index;
      }
    }
    if (node) {
      flush();
      out.push(node);
    } else {
      plain += text.slice(index, index + length);
    }
    index += length;
  }
  flush();
  return out;
}

/** Code keeps its marks literally, but angle sequences still act in it. */
function codeText(text, people) {
  return text
    .split(/(<[^<>\n]+>)/)
    .map((piece, index) => (index % 2 && angle(piece.slice(1, -1), people)) || decode(piece));
}

const QUOTE = /^(?:&gt;|>) ?/;
const QUOTE_REST = /^(?:&gt;|>){3} ?/;

function lines(text, people) {
  const out = [];
  let pending = [];
  const flush = () => {
    pending.forEach((line, index) => {
      if (index) out.push(el("br"));
      out.push(...inline(line, people));
    });
    pending = [];
  };
  const source = text.split("\n");
  for (let index = 0; index < source.length; index += 1) {
    if (!QUOTE.test(source[index])) {
      pending.push(source[index]);
      continue;
    }
    flush();
    const quoted = [];
    if (QUOTE_REST.test(source[index])) {
      quoted.push(source[index].replace(QUOTE_REST, ""), ...source.slice(index + 1));
      index = source.length;
    } else {
      for (; index < source.length && QUOTE.test(source[index]); index += 1)
        quoted.push(source[index].replace(QUOTE, ""));
      index -= 1;
    }
    const body = quoted.flatMap((line, number) => [number ? el("br") : null, ...inline(line, people)]);
    out.push(el("blockquote", {}, body));
  }
  flush();
  return out;
}

/** mrkdwn as nodes. */
export function mrkdwn(text, people) {
  const parts = String(text).split(/```([\s\S]+?)```/);
  return fragment(
    parts.map((part, index) => {
      if (index % 2) return el("pre", {}, codeText(part.replace(/^\n/, "").replace(/\n$/, ""), people));
      const trimmed = part.replace(index ? /^\n/ : /^(?!)/, "").replace(index < parts.length - 1 ? /\n$/ : /(?!)$/, "");
      return trimmed ? lines(trimmed, people) : null;
    }),
  );
}

/** Literal text: only emoji codes become emoji, and only where asked for. */
export function plainText(text, withEmoji = true) {
  const pieces = withEmoji ? String(text).split(/(:[a-z0-9_+'-]+:)/) : [String(text)];
  return fragment(
    pieces.map((piece, index) => (index % 2 && isEmoji(piece.slice(1, -1)) ? emoji(piece.slice(1, -1)) : piece)),
  );
}

/** A text object ({type, text, emoji?}) or a bare string. */
export function textObject(object, people) {
  if (typeof object === "string") return plainText(object);
  if (object?.type === "mrkdwn") return mrkdwn(object.text, people);
  return plainText(object?.text ?? "", object?.emoji !== false);
}
