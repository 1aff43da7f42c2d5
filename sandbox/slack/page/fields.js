// Text fields of every kind.
import { commit, dispatches, focusKey, labelOf } from "./control.js";
import { composing, el } from "./dom.js";

const TYPES = { plain_text_input: "text", number_input: "text", email_text_input: "email", url_text_input: "url" };
const MODES = { number_input: "decimal", email_text_input: "email", url_text_input: "url" };

function common(block, element, surface) {
  return {
    class: "field",
    "aria-label": labelOf(block, element),
    "aria-describedby": surface.errorId(block),
    "aria-required": block.optional ? null : "true",
    placeholder: element.placeholder?.text,
    autocomplete: "off",
    dataset: { focus: focusKey(block, element), action: element.action_id },
  };
}

/** plain_text_input and its number, email and URL kin. */
export function textField(block, element, surface) {
  const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const multiline = element.multiline === true;
  const value = surface.form.get(block.block_id, element) ?? "";
  const store = () => surface.form.set(block.block_id, element, node.value === "" ? null : node.value);
  const node = el(multiline ? "textarea" : "input", {
    ...common(block, element, surface),
    rows: multiline ? 4 : null,
    type: multiline ? null : TYPES[element.type],
    inputmode: MODES[element.type] ?? null,
    value,
    maxlength: element.max_length,
    oninput: () => {
      if (dispatches(block) && when.includes("on_character_entered"))
        commit(surface, block, element, node.value || null, node);
      else store();
    },
    onkeydown: (event) => {
      if (
        event.key !== "Enter" ||
        multiline ||
        composing(event) ||
        event.ctrlKey ||
        event.metaKey ||
        !dispatches(block)
      )
        return;
      event.preventDefault();
      if (when.includes("on_enter_pressed")) commit(surface, block, element, node.value || null, node);
    },
  });
  return node;
}

const toRichText = (text) =>
  text === ""
    ? null
    : {
        type: "rich_text",
        elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }],
      };

const fromRichText = (value) =>
  (value?.elements ?? []).map((part) => (part.elements ?? []).map((leaf) => leaf.text ?? "").join("")).join("\n");

/** rich_text_input, without its toolbar: what is typed becomes one plain section. */
export function richTextField(block, element, surface) {
  const node = el("textarea", {
    ...common(block, element, surface),
    rows: 4,
    value: fromRichText(surface.form.get(block.block_id, element)),
    oninput: () => surface.form.set(block.block_id, element, toRichText(node.value)),
  });
  return node;
}

/** file_input: the workspace takes no uploads from people, and says so. */
export function fileField(block, element) {
  return el(
    "p",
    { class: "unsupported", dataset: { action: element.action_id } },
    "People cannot add files in this pretend workspace.",
  );
}
