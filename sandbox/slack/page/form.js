// What people have typed and chosen in a message's or a view's controls. The workspace says whether it may be sent.

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
      const before =
        this.#values.get(block.block_id)?.get(element.action_id) ?? remembered[block.block_id]?.[element.action_id];
      const first = element[initial] ?? (LISTS.has(key) ? [] : null);
      if (!next.has(block.block_id)) next.set(block.block_id, new Map());
      next
        .get(block.block_id)
        .set(element.action_id, before?.type === element.type ? before : { type: element.type, [key]: first });
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
}
