// The select menus: a combobox with type-ahead, for one choice or several, over a fixed or a fetched list.
import { append, composing, el, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { openPopup, stepIndex } from "./popup.js";

/**
 * A select.
 *
 * label: its accessible name; placeholder; `source(text)`: a promise of groups [{label, choices}] to show for what
 * was typed; a choice is {key, content(): node, text, description?, option}; `chosen`: the choices at first;
 * `multiple`, `max` (choices at most), `clearable`; `onChange(choices)`: promise of false to take the change back.
 */
export function select({
  label,
  placeholder,
  source,
  chosen,
  multiple,
  max,
  clearable,
  onChange,
  focusKey,
  describedBy,
  hint,
}) {
  const listId = uniqueId("list");
  let selected = [...chosen];
  let shown = [];
  let active = -1;
  let popup = null;
  let asked = 0;
  let timer = 0;

  const input = el("input", {
    class: "select-input",
    type: "text",
    role: "combobox",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-describedby": describedBy,
    autocomplete: "off",
    spellcheck: "false",
    dataset: { focus: focusKey },
    onkeydown: keys,
    oninput: () => refreshSoon(),
    onclick: () => open(),
    onblur: leave,
  });
  const chips = el("span", { class: "chips" });
  const clear = el(
    "button",
    {
      class: "select-clear",
      type: "button",
      tabindex: -1,
      "aria-label": `Clear ${label}`,
      onclick: () => change([]),
    },
    icon("close"),
  );
  const box = el(
    "div",
    { class: "select", onpointerdown: pointed },
    chips,
    input,
    clear,
    el("span", { class: "select-arrow" }, icon("down")),
  );
  const list = el("div", {
    class: "listbox",
    role: "listbox",
    id: listId,
    "aria-label": label,
    "aria-multiselectable": multiple ? "true" : null,
  });
  const wrapper = el("div", { class: "select-holder" }, box);
  showChosen();

  function pointed(event) {
    if (event.target === input || event.target.closest("button")) return;
    event.preventDefault();
    input.focus();
    if (popup) popup.close();
    else open();
  }

  function showChosen() {
    chips.replaceChildren();
    if (multiple) {
      append(
        chips,
        selected.map((choice) =>
          el(
            "span",
            { class: "chip" },
            choice.content(),
            el(
              "button",
              {
                type: "button",
                "aria-label": `Remove ${choice.text}`,
                onclick: () => change(selected.filter((one) => one !== choice)),
              },
              icon("close"),
            ),
          ),
        ),
      );
    }
    input.value = multiple ? "" : (selected[0]?.text ?? "");
    input.placeholder = multiple && selected.length ? "" : (placeholder ?? "");
    clear.hidden = !(clearable && selected.length);
  }

  const isChosen = (choice) => selected.some((one) => one.key === choice.key);

  async function change(next) {
    const before = selected;
    selected = next;
    showChosen();
    if (popup && multiple) {
      draw(null);
      refresh("");
    }
    if ((await onChange(next)) === false) {
      selected = before;
      showChosen();
    }
  }

  function choose(choice) {
    if (!multiple) {
      close();
      if (!isChosen(choice)) change([choice]);
      else showChosen();
    } else if (isChosen(choice)) {
      change(selected.filter((one) => one.key !== choice.key));
    } else if (!max || selected.length < max) {
      change([...selected, choice]);
    }
    input.focus();
  }

  function draw(groups, words) {
    shown = [];
    list.replaceChildren();
    if (!groups) return;
    for (const group of groups) {
      const items = group.choices.map((choice) => {
        const item = el(
          "div",
          {
            class: "listbox-option",
            role: "option",
            id: uniqueId("option"),
            "aria-selected": String(isChosen(choice)),
            onpointerdown: (event) => event.preventDefault(),
            onclick: () => choose(choice),
          },
          el("span", { class: "option-text" }, choice.content()),
          choice.description ? el("span", { class: "option-description" }, choice.description()) : null,
          isChosen(choice) ? icon("check") : null,
        );
        shown.push({ choice, item });
        return item;
      });
      if (group.label && items.length) {
        list.append(
          el(
            "div",
            { role: "group", "aria-label": group.label },
            el("div", { class: "listbox-group", "aria-hidden": "true" }, group.label),
            items,
          ),
        );
      } else append(list, items);
    }
    if (!shown.length) list.append(el("div", { class: "listbox-note", role: "status" }, words ?? "No matches"));
    activate(
      multiple
        ? shown.length
          ? 0
          : -1
        : Math.max(
            shown.findIndex((one) => isChosen(one.choice)),
            shown.length ? 0 : -1,
          ),
    );
    popup?.place();
  }

  function activate(index) {
    shown[active]?.item.classList.remove("active");
    active = index;
    const entry = shown[active];
    if (!entry) return input.removeAttribute("aria-activedescendant");
    entry.item.classList.add("active");
    entry.item.scrollIntoView({ block: "nearest" });
    return input.setAttribute("aria-activedescendant", entry.item.id);
  }

  async function refresh(text) {
    asked += 1;
    const turn = asked;
    const slow = setTimeout(() => turn === asked && draw([], "Loading…"), 150);
    try {
      const groups = await source(text);
      if (turn === asked && popup) draw(groups, hint?.(text));
    } catch (error) {
      if (turn === asked && popup) draw([], error.message);
    } finally {
      clearTimeout(slow);
    }
  }

  function refreshSoon() {
    open(true);
    // What is shown, or on its way, answers what was typed before: Enter must not take the first of that.
    asked += 1;
    activate(-1);
    clearTimeout(timer);
    timer = setTimeout(() => refresh(input.value), 120);
  }

  function open(typed = false) {
    if (popup) return;
    popup = openPopup(box, list, {
      onClose: () => {
        popup = null;
        asked += 1;
        input.setAttribute("aria-expanded", "false");
        input.removeAttribute("aria-activedescendant");
      },
    });
    input.setAttribute("aria-expanded", "true");
    if (typed) return;
    input.select();
    refresh("");
  }

  function close() {
    clearTimeout(timer);
    popup?.close();
  }

  function leave() {
    close();
    showChosen();
  }

  function keys(event) {
    if (composing(event)) return;
    if (event.key === "Escape" && popup) {
      event.preventDefault();
      event.stopPropagation();
      close();
      showChosen();
    } else if (event.key === "Enter" && !(event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!popup) open();
      else if (shown[active]) choose(shown[active].choice);
    } else if (event.key === "Backspace" && multiple && !input.value && selected.length) {
      change(selected.slice(0, -1));
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!popup) open();
      else activate(stepIndex(event.key, active, shown.length) ?? -1);
    }
  }

  return wrapper;
}
