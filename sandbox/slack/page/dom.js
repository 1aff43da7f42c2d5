// Building and refreshing DOM nodes. Data only ever becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * A new element. `props`: `class`, `dataset` (object), `style` (object of custom properties), `on…` listeners, DOM
 * properties that have no attribute (`value`, `checked`, `indeterminate`), anything else an attribute.
 * null, undefined and false leave a prop out. `children`: nodes, strings, nested arrays; null and false are skipped.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "style") for (const [key, rule] of Object.entries(value)) node.style.setProperty(key, rule);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "indeterminate") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

export function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child);
  }
}

/** An SVG element with plain attributes. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  append(node, children);
  return node;
}

export function fragment(...children) {
  const node = document.createDocumentFragment();
  append(node, children);
  return node;
}

let serial = 0;

/** An id that is unique on the page, for aria relations. */
export function uniqueId(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}

const marks = new WeakMap();

/**
 * Makes `container` hold one child per item, in order, touching only what changed, so that an edit neither
 * flickers, nor scrolls, nor takes the focus away.
 *
 * items: [{key, signature, …}]; a child is kept as it is while its signature (a string) stays the same.
 * render(item, existing): a new node, or `existing` after bringing it up to date.
 */
export function reconcile(container, items, render) {
  const old = new Map();
  const wanted = new Set(items.map((item) => item.key));
  for (const child of [...container.children]) {
    const mark = marks.get(child);
    if (mark && wanted.has(mark.key)) old.set(mark.key, child);
    else child.remove(); // first of all, so that no other node has to move
  }
  let cursor = container.firstElementChild;
  for (const item of items) {
    let node = old.get(item.key);
    if (!node || marks.get(node).signature !== item.signature) {
      const fresh = render(item, node ?? null);
      if (node && fresh !== node) {
        if (cursor === node) cursor = fresh;
        replaceKeepingFocus(node, fresh);
      }
      node = fresh;
      marks.set(node, { key: item.key, signature: item.signature });
    }
    if (cursor === node) cursor = cursor.nextElementSibling;
    else container.insertBefore(node, cursor);
  }
}

/** Swaps a node; the focus (and the caret) moves to the control with the same `data-focus` in the new one. */
function replaceKeepingFocus(node, fresh) {
  const active = document.activeElement;
  const inside = active && node.contains(active) ? active : null;
  const holder = inside?.closest("[data-focus]");
  const key = holder && node.contains(holder) ? holder.dataset.focus : null;
  const caret =
    inside && typeof inside.selectionStart === "number" ? [inside.selectionStart, inside.selectionEnd] : null;
  node.replaceWith(fresh);
  if (key === null) return;
  const target = fresh.dataset.focus === key ? fresh : fresh.querySelector(`[data-focus="${CSS.escape(key)}"]`);
  if (!target) return;
  target.focus({ preventScroll: true });
  if (caret && typeof target.setSelectionRange === "function") target.setSelectionRange(caret[0], caret[1]);
}

/** True while a key press belongs to an input method that is still composing a character. */
export function composing(event) {
  return event.isComposing || event.keyCode === 229;
}
