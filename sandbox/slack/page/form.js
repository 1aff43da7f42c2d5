// What people have typed and chosen in a message's or a view's controls, and Slack's own checks of it.

const OPTION_INITIALS = ["static_select", "external_select", "radio_buttons"];
const OPTIONS_INITIALS = ["multi_static_select", "multi_external_select", "checkboxes"];

/** element type → [the state's key, the element's property that gives its first value]. */
const KEYS = {
  plain_text_input: ["value", "initial_value"],
  number_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"],
  rich_text_input: ["rich_text_value", "initial_value"],
  users_select: ["selected_user", "initial_user"],
  multi_users_select: ["selected_users", "initial_users"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  multi_conversations_select: ["selected_conversations", "initial_conversations"],
  channels_select: ["selected_channel", "initial_channel"],
  multi_channels_select: ["selected_channels", "initial_channels"],
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  file_input: ["files", null],
  ...Object.fromEntries(OPTION_INITIALS.map((type) => [type, ["selected_option", "initial_option"]])),
  ...Object.fromEntries(OPTIONS_INITIALS.map((type) => [type, ["selected_options", "initial_options"]])),
};

const LISTS = new Set(["selected_options", "selected_users", "selected_conversations", "selected_channels", "files"]);

/** The key of an element's value in `state.values`, or null for elements without a value (buttons, overflow). */
export const stateKey = (element) => KEYS[element.type]?.[0] ?? null;

/** The elements with their block ids, in the order of the blocks. */
export function* elementsOf(blocks) {
  for (const block of blocks ?? []) {
    if (block.type === "input") yield [block, block.element];
    else if (block.type === "actions") for (const element of block.elements) yield [block, element];
    else if (block.type === "section" && block.accessory) yield [block, block.accessory];
  }
}

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const EMAIL = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/;
const URL_TEXT = /^https?:\/\/[^\s/.]+[^\s]*$/i;

const CHECKS = {
  plain_text_input(value, element) {
    if (element.min_length && value.length < element.min_length) return `Enter at least ${element.min_length} characters.`;
    if (element.max_length && value.length > element.max_length) return `Enter at most ${element.max_length} characters.`;
    return null;
  },
  number_input(value, element) {
    if (!NUMBER.test(value)) return "Enter a number.";
    if (!element.is_decimal_allowed && value.includes(".")) return "Enter a whole number.";
    if (element.min_value !== undefined && Number(value) < Number(element.min_value)) return `Enter a number of at least ${element.min_value}.`;
    if (element.max_value !== undefined && Number(value) > Number(element.max_value)) return `Enter a number of at most ${element.max_value}.`;
    return null;
  },
  email_text_input: (value) => (EMAIL.test(value) ? null : "Enter a valid email address."),
  url_text_input: (value) => (URL_TEXT.test(value) ? null : "Enter a valid URL."),
};

const isEmpty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

export class FormState {
  #values = new Map();

  /**
   * Takes over a surface's blocks: new controls get their first value, those that stay (same block_id, action_id
   * and type) keep what was typed, those that are gone are forgotten (Slack docs: views.update). `remembered`: the
   * values that the workspace kept for this person.
   */
  adopt(blocks, remembered = {}) {
    const next = new Map();
    for (const [block, element] of elementsOf(blocks)) {
      const known = KEYS[element.type];
      if (!known) continue;
      const [key, initial] = known;
      const before = this.#values.get(block.block_id)?.get(element.action_id) ?? remembered[block.block_id]?.[element.action_id];
      const first = element[initial] ?? (LISTS.has(key) ? [] : null);
      if (!next.has(block.block_id)) next.set(block.block_id, new Map());
      next.get(block.block_id).set(element.action_id, before?.type === element.type ? before : { type: element.type, [key]: first });
    }
    this.#values = next;
  }

  /** The value (not the state object) of a control. */
  get(blockId, element) {
    return this.#values.get(blockId)?.get(element.action_id)?.[stateKey(element)] ?? null;
  }

  set(blockId, element, value) {
    this.#values.get(blockId)?.set(element.action_id, { type: element.type, [stateKey(element)]: value });
  }

  /** `state.values` as Slack sends it. */
  values() {
    return Object.fromEntries([...this.#values].map(([blockId, actions]) => [blockId, Object.fromEntries(actions)]));
  }

  /** Slack's own checks before a view is submitted: {block_id: text}, empty when all is well. */
  errors(blocks) {
    const found = {};
    for (const [block, element] of elementsOf(blocks)) {
      if (block.type !== "input") continue;
      const value = this.get(block.block_id, element);
      if (isEmpty(value)) {
        if (!block.optional) found[block.block_id] = "Please complete this required field.";
      } else {
        const problem = CHECKS[element.type]?.(value, element);
        if (problem) found[block.block_id] = problem;
      }
    }
    return found;
  }
}
