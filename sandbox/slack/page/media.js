// Images and files. The page loads nothing from elsewhere: a foreign image is shown by its words and its address.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { link } from "./mentions.js";

/** Whether an address may be loaded by the page itself. */
function isOwn(url) {
  try {
    return new URL(url, location.href).origin === location.origin;
  } catch {
    return false;
  }
}

/** An image element or block's picture: {image_url | slack_file, alt_text}. */
export function image(item) {
  const url =
    item.image_url ??
    item.slack_file?.url ??
    (item.slack_file?.id ? `/sandbox/files/${encodeURIComponent(item.slack_file.id)}` : null);
  if (url && isOwn(url))
    return el("img", { src: url, alt: item.alt_text ?? "", title: item.alt_text, loading: "lazy", class: "picture" });
  return el(
    "span",
    { class: "picture foreign", title: url, role: "img", "aria-label": item.alt_text ?? "image" },
    icon("image"),
    el("span", { class: "foreign-words" }, item.alt_text ?? "image"),
  );
}

const SIZES = ["B", "kB", "MB", "GB"];

function size(bytes) {
  let value = Number(bytes) || 0;
  let unit = 0;
  while (value >= 1000 && unit < SIZES.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${SIZES[unit]}`;
}

/** A file shared in a message: a picture with a preview, else a card with its name, kind and size. */
export function file(item) {
  const url = item.url ?? null;
  const name = item.title || item.name || item.id;
  const kind = [item.pretty_type ?? item.filetype?.toUpperCase(), item.size === undefined ? null : size(item.size)]
    .filter(Boolean)
    .join(" · ");
  if (url && isOwn(url) && String(item.mimetype ?? "").startsWith("image/")) {
    return el(
      "figure",
      { class: "file file-image" },
      el("figcaption", {}, el("bdi", {}, name), kind ? el("span", { class: "file-kind" }, kind) : null),
      el(
        "a",
        { href: url, target: "_blank", rel: "noopener noreferrer" },
        el("img", { src: url, alt: item.alt_txt || name, class: "picture" }),
      ),
    );
  }
  return el(
    "div",
    { class: "file file-card" },
    icon("file"),
    el(
      "div",
      {},
      el(
        "div",
        { class: "file-name" },
        url && isOwn(url) ? link(new URL(url, location.href).href, name) : el("bdi", {}, name),
      ),
      el("div", { class: "file-kind" }, kind || "File"),
    ),
  );
}
