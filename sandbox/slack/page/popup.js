// A menu or list that hangs on a control: above everything, dialogs too; closed by Esc or a click elsewhere.
import { el } from "./dom.js";

const GAP = 4;
const EDGE = 8;

/**
 * Opens `content` below `anchor`, or above where there is more room. It becomes a neighbour of the anchor, so that
 * it stays inside an open dialog. Returns {close(), place()}; `onClose` is called once, however it closes.
 */
export function openPopup(anchor, content, { onClose, width = "anchor" } = {}) {
  const box = el("div", { class: "popup", popover: "manual" }, content);
  let open = true;

  function place() {
    if (!anchor.isConnected) return close();
    const at = anchor.getBoundingClientRect();
    if (width === "anchor") box.style.minWidth = `${at.width}px`;
    box.style.maxWidth = `${innerWidth - 2 * EDGE}px`;
    const below = innerHeight - at.bottom - GAP - EDGE;
    const above = at.top - GAP - EDGE;
    box.style.maxHeight = "none";
    const wanted = Math.min(box.scrollHeight + 2, 320);
    const up = below < wanted && above > below;
    const height = Math.min(wanted, up ? above : below);
    box.style.maxHeight = `${height}px`;
    box.style.top = `${up ? at.top - GAP - height : at.bottom + GAP}px`;
    box.style.left = `${Math.max(EDGE, Math.min(at.left, innerWidth - box.offsetWidth - EDGE))}px`;
    return undefined;
  }

  function close() {
    if (!open) return;
    open = false;
    document.removeEventListener("pointerdown", elsewhere, true);
    removeEventListener("resize", place);
    document.removeEventListener("scroll", place, true);
    box.remove();
    onClose?.();
  }

  function elsewhere(event) {
    if (!box.contains(event.target) && !anchor.contains(event.target)) close();
  }

  anchor.after(box);
  box.showPopover();
  place();
  document.addEventListener("pointerdown", elsewhere, true);
  document.addEventListener("scroll", place, true);
  addEventListener("resize", place);
  return { close, place };
}

/** The index after a key in a list of `length`, or null for other keys. */
export function stepIndex(key, index, length) {
  if (length === 0) return null;
  if (key === "ArrowDown") return (index + 1) % length;
  if (key === "ArrowUp") return (index - 1 + length) % length;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
  return null;
}

/**
 * A menu hanging on a button. items: [{content, description?, href?, choose()}]. Arrow keys, Home, End, Enter, Esc.
 */
export function openMenu(anchor, items, { label, onClose }) {
  const entries = items.map((item) =>
    el(
      item.href ? "a" : "button",
      {
        class: "menu-item",
        role: "menuitem",
        tabindex: -1,
        type: item.href ? null : "button",
        href: item.href,
        target: item.href ? "_blank" : null,
        rel: item.href ? "noopener noreferrer" : null,
        onclick: () => {
          finish();
          item.choose();
        },
      },
      el("span", {}, item.content),
      item.description ? el("span", { class: "option-description" }, item.description) : null,
    ),
  );
  const menu = el("div", { class: "menu", role: "menu", "aria-label": label, onkeydown: keys }, entries);

  function finish() {
    popup.close();
    anchor.focus();
  }

  function keys(event) {
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      finish();
      return;
    }
    const next = stepIndex(event.key, entries.indexOf(document.activeElement), entries.length);
    if (next === null) return;
    event.preventDefault();
    entries[next].focus();
  }

  anchor.setAttribute("aria-expanded", "true");
  const popup = openPopup(anchor, menu, {
    width: "own",
    onClose: () => {
      anchor.setAttribute("aria-expanded", "false");
      onClose?.();
    },
  });
  entries[0]?.focus();
  return popup;
}
