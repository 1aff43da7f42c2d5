// Block Kit's interactive elements: buttons, menus, choices, pickers (text fields: fields.js; selects: selects.js).
import { commit, dispatches, focusKey, labelOf } from "./control.js";
import { el, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./popup.js";
import { textObject } from "./mrkdwn.js";
import * as fields from "./fields.js";
import * as selects from "./selects.js";
import { image } from "./media.js";

function button(block, element, surface) {
  const node = el(
    element.url ? "a" : "button",
    {
      class: `button ${element.style ?? ""}`,
      type: element.url ? null : "button",
      href: element.url,
      target: element.url ? "_blank" : null,
      rel: element.url ? "noopener noreferrer" : null,
      "aria-label": element.accessibility_label,
      dataset: { focus: focusKey(block, element), action: element.action_id },
      onclick: () =>
        surface.act(block, element, { ...(element.value === undefined ? {} : { value: element.value }) }, node),
    },
    el("span", { class: "button-text" }, textObject(element.text, surface.people)),
  );
  return node;
}

function overflow(block, element, surface) {
  let menu = null;
  const node = el(
    "button",
    {
      class: "button overflow",
      type: "button",
      "aria-label": labelOf(block, { ...element, placeholder: { text: "More actions" } }),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      dataset: { focus: focusKey(block, element), action: element.action_id },
      onclick: () => {
        if (menu) {
          menu.close();
          return;
        }
        menu = openMenu(
          node,
          element.options.map((option) => ({
            content: textObject(option.text, surface.people),
            description: option.description ? textObject(option.description, surface.people) : null,
            href: option.url,
            choose: () => surface.act(block, element, { selected_option: option }, node),
          })),
          {
            label: "More actions",
            onClose: () => {
              menu = null;
            },
          },
        );
      },
    },
    icon("more"),
  );
  return node;
}

function choices(block, element, surface, kind) {
  const name = uniqueId("choice");
  const several = kind === "checkbox";
  const current = () => {
    const value = surface.form.get(block.block_id, element);
    return several ? (value ?? []) : value ? [value] : [];
  };
  const chosen = new Set(current().map((option) => option.value));
  const rows = element.options.map((option, index) => {
    const box = el("input", {
      type: kind,
      name,
      checked: chosen.has(option.value),
      dataset: { focus: `${focusKey(block, element)} ${index}` },
      onchange: async () => {
        const before = current();
        const values = element.options.filter((_, at) => rows[at].box.checked);
        if ((await commit(surface, block, element, several ? values : values[0], group)) !== false) return;
        surface.form.set(block.block_id, element, several ? before : (before[0] ?? null));
        for (const row of rows) row.box.checked = before.some((one) => one.value === row.option.value);
      },
    });
    const line = el(
      "label",
      { class: "choice" },
      box,
      el(
        "span",
        { class: "choice-text" },
        textObject(option.text, surface.people),
        option.description
          ? el("span", { class: "option-description" }, textObject(option.description, surface.people))
          : null,
      ),
    );
    return { box, line, option };
  });
  const group = el(
    "div",
    {
      class: "choices",
      role: several ? "group" : "radiogroup",
      "aria-label": labelOf(block, element),
      "aria-describedby": surface.errorId(block),
      dataset: { action: element.action_id },
    },
    rows.map((row) => row.line),
  );
  return group;
}

const toLocal = (epoch) => {
  const date = new Date((epoch - new Date(epoch * 1000).getTimezoneOffset() * 60) * 1000);
  return date.toISOString().slice(0, 16);
};

const PICKERS = {
  datepicker: { type: "date", show: (value) => value, read: (text) => text },
  timepicker: { type: "time", show: (value) => value, read: (text) => text.slice(0, 5) },
  datetimepicker: {
    type: "datetime-local",
    show: toLocal,
    read: (text) => Math.floor(new Date(text).getTime() / 1000),
  },
};
const PICKER_PAUSE_MS = 700;

/** A date or time. Its parts are edited one by one, so the choice counts after a pause, or when the field is left. */
function picker(block, element, surface) {
  const { type, show, read } = PICKERS[element.type];
  const value = surface.form.get(block.block_id, element);
  let sent = value;
  let timer = 0;
  const settle = async () => {
    clearTimeout(timer);
    const next = node.value ? read(node.value) : null;
    if (next === sent || (next === null && dispatches(block))) return;
    const before = sent;
    sent = next;
    if ((await commit(surface, block, element, next, node)) !== false) return;
    sent = before;
    surface.form.set(block.block_id, element, before);
    node.value = before === null ? "" : show(before);
  };
  const node = el("input", {
    class: "field picker",
    type,
    value: value === null ? "" : show(value),
    "aria-label": labelOf(block, element),
    "aria-describedby": surface.errorId(block),
    title: element.timezone ? `Time zone: ${element.timezone}` : null,
    dataset: { focus: focusKey(block, element), action: element.action_id },
    onchange: () => {
      clearTimeout(timer);
      if (dispatches(block)) timer = setTimeout(settle, PICKER_PAUSE_MS);
      else settle();
    },
    onblur: settle,
    onkeydown: (event) => event.key === "Enter" && !event.ctrlKey && !event.metaKey && settle(),
  });
  return node;
}

const MAKERS = {
  button,
  overflow,
  checkboxes: (block, element, surface) => choices(block, element, surface, "checkbox"),
  radio_buttons: (block, element, surface) => choices(block, element, surface, "radio"),
  datepicker: picker,
  timepicker: picker,
  datetimepicker: picker,
  image: (block, element) => image(element),
  plain_text_input: fields.textField,
  number_input: fields.textField,
  email_text_input: fields.textField,
  url_text_input: fields.textField,
  rich_text_input: fields.richTextField,
  file_input: fields.fileField,
  ...Object.fromEntries(
    ["static_select", "external_select", "users_select", "conversations_select", "channels_select"].flatMap((type) => [
      [type, selects.menu],
      [`multi_${type}`, selects.menu],
    ]),
  ),
};

/** The control for an element of a block; an unknown type is named instead of hidden. */
export function element(block, item, surface) {
  if (!Object.hasOwn(MAKERS, item.type))
    return el("span", { class: "unsupported" }, `This page cannot show an element of type ${item.type}.`);
  return MAKERS[item.type](block, item, surface);
}
