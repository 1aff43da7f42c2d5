// Block Kit's select menus on top of the page's one select control.
import { commit, dispatches, focusKey, labelOf } from "./control.js";
import { stateKey } from "./form.js";
import { select } from "./select.js";
import { textObject } from "./mrkdwn.js";

const MIN_QUERY = 3; // Slack docs: external select, min_query_length's default

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function fromOption(option, people) {
  return {
    key: option.value,
    option,
    text: option.text.text,
    content: () => textObject(option.text, people),
    description: option.description ? () => textObject(option.description, people) : null,
  };
}

function fromPerson(person) {
  return {
    key: person.id,
    option: person.id,
    text: person.real_name,
    content: () => person.real_name,
    description: () => `@${person.name}`,
  };
}

function fromChannel(channel) {
  const text = channel.kind === "dm" ? channel.name : `#${channel.name}`;
  return { key: channel.id, option: channel.id, text, content: () => text, description: null };
}

const groupsOf = (holder, people) =>
  holder.option_groups
    ? holder.option_groups.map((group) => ({
        label: group.label.text,
        choices: group.options.map((option) => fromOption(option, people)),
      }))
    : [{ label: null, choices: (holder.options ?? []).map((option) => fromOption(option, people)) }];

function matching(groups, text) {
  const wanted = fold(text.trim());
  return groups
    .map((group) => ({ ...group, choices: group.choices.filter((choice) => fold(choice.text).includes(wanted)) }))
    .filter((group) => group.choices.length);
}

/** Which conversations a conversations_select offers (its `filter.include`; everything without one). */
function conversationsFor(element, people) {
  const kinds = { public: ["public", "shared"], private: ["private"], im: ["dm"], mpim: [] };
  const include = element.filter?.include;
  const wanted = include ? include.flatMap((word) => kinds[word] ?? []) : ["public", "shared", "private", "dm"];
  return people
    .channels()
    .filter(
      (channel) =>
        wanted.includes(channel.kind) &&
        !(element.filter?.exclude_external_shared_channels && channel.kind === "shared"),
    );
}

/** How each kind of menu finds its choices: (text) → promise of groups. */
function sourceOf(block, element, surface) {
  const { people } = surface;
  const kind = element.type.replace(/^multi_/, "");
  if (kind === "external_select") {
    const least = element.min_query_length ?? MIN_QUERY;
    return async (text) => (text.length < least ? [] : groupsOf(await surface.options(block, element, text), people));
  }
  const groups = {
    static_select: () => groupsOf(element, people),
    users_select: () => [{ label: null, choices: people.everybody().map(fromPerson) }],
    conversations_select: () => [{ label: null, choices: conversationsFor(element, people).map(fromChannel) }],
    channels_select: () => [
      {
        label: null,
        choices: people
          .channels()
          .filter((one) => one.kind === "public" || one.kind === "shared")
          .map(fromChannel),
      },
    ],
  }[kind];
  return async (text) => matching(groups(), text);
}

/** What is chosen at first, as choices. */
function chosenOf(block, element, surface) {
  const value = surface.form.get(block.block_id, element);
  const { people } = surface;
  return [value ?? []].flat().map((one) => {
    if (typeof one !== "string") return fromOption(one, people);
    const known = people.person(one) ?? people.channel(one);
    if (!known) return { key: one, option: one, text: one, content: () => one, description: null };
    return people.person(one) ? fromPerson(known) : fromChannel(known);
  });
}

/** Any select menu, single or multi. */
export function menu(block, element, surface) {
  const multiple = element.type.startsWith("multi_");
  const external = element.type.endsWith("external_select");
  const least = element.min_query_length ?? MIN_QUERY;
  const node = select({
    label: labelOf(block, element),
    placeholder: element.placeholder?.text ?? "Choose an option",
    source: sourceOf(block, element, surface),
    chosen: chosenOf(block, element, surface),
    multiple,
    max: element.max_selected_items,
    clearable: !multiple && block.type === "input" && block.optional === true,
    focusKey: focusKey(block, element),
    describedBy: surface.errorId(block),
    hint: (text) =>
      external && text.length < least ? `Type at least ${least} character${least === 1 ? "" : "s"} to search` : null,
    onChange: async (choices) => {
      const before = surface.form.get(block.block_id, element);
      const value = multiple ? choices.map((one) => one.option) : (choices[0]?.option ?? null);
      const done = await commit(surface, block, element, value, node);
      if (done === false && dispatches(block)) surface.form.set(block.block_id, element, before);
      return done;
    },
  });
  node.dataset.action = element.action_id;
  node.dataset.state = stateKey(element);
  return node;
}
