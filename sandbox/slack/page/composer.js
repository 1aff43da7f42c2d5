// The message field: Enter sends, Shift+Enter breaks the line, Up recalls, "/" shows what can be typed.
import * as api from "./api.js";
import { composing, el, reconcile, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { stepIndex } from "./popup.js";

const sent = new Map(); // person → texts, oldest first
const drafts = new Map(); // place → text

/**
 * {node, place(where), focus()}: `where` {key, person, label, send(text)} is whom and where it writes for.
 * hints: whether "/" shows commands (Slack takes none in threads).
 */
export function composer({ hints: withHints }) {
  const listId = uniqueId("hints");
  let where = null;
  let hints = [];
  let active = -1;
  let recalled = null; // how far back in what was sent, null while writing something new
  let asking = null;

  const field = el("textarea", {
    class: "composer-field",
    rows: 1,
    "aria-controls": listId,
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    spellcheck: "false",
    oninput: typed,
    onkeydown: keys,
    onblur: () => showHints([]),
  });
  const list = el("div", { class: "hints", id: listId, role: "listbox", "aria-label": "Commands", hidden: true });
  const error = el("div", { class: "composer-error", role: "alert" });
  const button = el(
    "button",
    { class: "composer-send", type: "button", "aria-label": "Send", title: "Send (Enter)", onclick: send },
    icon("send"),
  );
  const keysHelp = el(
    "span",
    { class: "composer-keys", "aria-hidden": "true" },
    el("kbd", {}, "Enter"),
    " sends · ",
    el("kbd", {}, "Shift+Enter"),
    " new line · ",
    el("kbd", {}, "↑"),
    " recalls",
  );
  const node = el(
    "div",
    { class: "composer-holder" },
    list,
    el(
      "div",
      { class: "composer", onclick: () => field.focus() },
      field,
      el("div", { class: "composer-foot" }, keysHelp, button),
    ),
    error,
  );

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 240)}px`;
    button.disabled = field.value.trim() === "";
  }

  function write(text) {
    field.value = text;
    field.setSelectionRange(text.length, text.length);
    grow();
  }

  function typed() {
    recalled = null;
    error.textContent = "";
    grow();
    if (where) drafts.set(where.key, field.value);
    askHints();
  }

  async function askHints() {
    asking?.abort();
    const text = field.value;
    if (!withHints || !text.startsWith("/") || text.includes("\n")) return showHints([]);
    asking = new AbortController();
    try {
      const answer = await api.hints(text, asking.signal);
      if (text === field.value) showHints(answer.hints);
    } catch {
      showHints([]);
    }
    return undefined;
  }

  /** Enter must send what is complete: a hint is chosen beforehand only while its command is still being typed. */
  const unfinished = () =>
    !field.value.includes(" ") && hints.length > 0 && hints[0].insert.trim() !== field.value.trim();

  function showHints(found) {
    hints = found;
    list.hidden = hints.length === 0;
    reconcile(
      list,
      hints.map((hint) => ({ key: hint.insert + hint.label, signature: hint.label + hint.description, hint })),
      ({ hint }) =>
        el(
          "div",
          {
            class: "hint-row",
            role: "option",
            id: uniqueId("hint"),
            onpointerdown: (event) => {
              event.preventDefault();
              accept(hint);
            },
          },
          el("span", { class: "hint-label" }, hint.label),
          el("span", { class: "hint-description" }, hint.description),
        ),
    );
    activate(unfinished() ? 0 : -1);
  }

  function activate(index) {
    active = index;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === active)));
    const row = list.children[active];
    if (!row) return field.removeAttribute("aria-activedescendant");
    row.scrollIntoView({ block: "nearest" });
    return field.setAttribute("aria-activedescendant", row.id);
  }

  function accept(hint) {
    write(hint.insert);
    if (where) drafts.set(where.key, hint.insert);
    askHints();
  }

  async function send() {
    const text = field.value.trim();
    if (!text || !where) return;
    const from = where;
    write("");
    drafts.delete(from.key);
    showHints([]);
    recalled = null;
    const log = sent.get(from.person) ?? [];
    if (log.at(-1) !== text) sent.set(from.person, [...log, text]);
    try {
      await from.send(text);
    } catch (problem) {
      if (where?.key !== from.key) return;
      error.textContent = problem.message;
      if (!field.value) write(text);
    }
  }

  function recall(step) {
    const log = sent.get(where?.person) ?? [];
    const from = recalled ?? log.length;
    const next = Math.max(0, from + step);
    if (!log.length || (recalled === null && step > 0)) return;
    recalled = next >= log.length ? null : next;
    write(recalled === null ? "" : log[recalled]);
  }

  function keys(event) {
    if (composing(event)) return;
    const step = hints.length ? stepIndex(event.key, active, hints.length) : null;
    if (step !== null && (event.key === "ArrowDown" || event.key === "ArrowUp") && recalled === null) {
      event.preventDefault();
      activate(active === -1 && event.key === "ArrowUp" ? hints.length - 1 : step);
    } else if (event.key === "Escape" && hints.length) {
      event.preventDefault();
      event.stopPropagation();
      showHints([]);
    } else if (event.key === "Tab" && !event.shiftKey && hints.length && (active >= 0 || unfinished())) {
      event.preventDefault();
      accept(hints[Math.max(active, 0)]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (active >= 0) accept(hints[active]);
      else send();
    } else if (event.key === "ArrowUp" && (field.value === "" || recalled !== null)) {
      event.preventDefault();
      recall(-1);
    } else if (event.key === "ArrowDown" && recalled !== null) {
      event.preventDefault();
      recall(1);
    }
  }

  function place(next) {
    const moved = where?.key !== next?.key;
    where = next;
    node.hidden = next === null;
    if (!next || !moved) return;
    field.placeholder = next.label;
    field.setAttribute("aria-label", next.label);
    error.textContent = "";
    showHints([]);
    write(drafts.get(next.key) ?? "");
  }

  return { node, place, focus: () => field.focus({ preventScroll: true }) };
}
