// Block Kit's blocks. A block that only other Slack clients know is named instead of hidden.
import { el, reconcile } from "./dom.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { file, image } from "./media.js";
import { link } from "./mentions.js";
import { textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

function section(block, surface) {
  const { people } = surface;
  return el(
    "div",
    { class: `section${block.accessory ? " with-accessory" : ""}` },
    el(
      "div",
      { class: "section-body" },
      block.text ? el("div", { class: "text" }, textObject(block.text, people)) : null,
      block.fields
        ? el(
            "div",
            { class: "section-fields" },
            block.fields.map((field) => el("div", { class: "text" }, textObject(field, people))),
          )
        : null,
    ),
    block.accessory ? el("div", { class: "section-accessory" }, element(block, block.accessory, surface)) : null,
  );
}

function context(block, surface) {
  return el(
    "div",
    { class: "context" },
    block.elements.map((item) =>
      item.type === "image"
        ? el("span", { class: "context-image" }, image(item))
        : el("span", { class: "text" }, textObject(item, surface.people)),
    ),
  );
}

function input(block, surface) {
  const error = surface.errorText(block);
  return el(
    "div",
    { class: `input-block${error ? " invalid" : ""}` },
    el(
      "div",
      { class: "input-label" },
      textObject(block.label, surface.people),
      block.optional ? el("span", { class: "optional" }, " (optional)") : null,
    ),
    element(block, block.element, surface),
    block.hint ? el("div", { class: "hint" }, textObject(block.hint, surface.people)) : null,
    error
      ? el("div", { class: "field-error", id: surface.errorId(block), role: "alert" }, icon("warning"), error)
      : null,
  );
}

function imageBlock(block, surface) {
  return el(
    "figure",
    { class: "image-block" },
    block.title ? el("figcaption", {}, textObject(block.title, surface.people)) : null,
    image(block),
  );
}

function cell(item, people) {
  if (item.type === "rich_text") return richText(item, people);
  return String(item.text ?? item.value ?? "");
}

/** The first row is the head (Slack docs: table block). */
function table(block, surface) {
  const [head, ...rows] = block.rows;
  const row = (cells, tag) =>
    el(
      "tr",
      {},
      cells.map((item, column) => {
        const { align, is_wrapped: wrapped } = block.column_settings?.[column] ?? {};
        const alignment = align ?? (item.type === "raw_number" ? "right" : "left");
        return el(
          tag,
          { class: `align-${alignment}${wrapped ? " wrapped" : ""}`, scope: tag === "th" ? "col" : null },
          cell(item, surface.people),
        );
      }),
    );
  return el(
    "div",
    { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table" },
    el(
      "table",
      {},
      el("thead", {}, row(head, "th")),
      el(
        "tbody",
        {},
        rows.map((cells) => row(cells, "td")),
      ),
    ),
  );
}

const TASK_WORDS = { pending: "Pending", in_progress: "In progress", complete: "Complete", error: "Error" };

function taskCard(block, surface) {
  const status = block.status ?? "pending";
  const more = [
    block.details && richText(block.details, surface.people),
    block.output && richText(block.output, surface.people),
    block.sources?.length
      ? el(
          "div",
          { class: "task-sources" },
          block.sources.map((source) => link(source.url, source.text ?? source.url)),
        )
      : null,
  ].filter(Boolean);
  const head = [
    el(
      "span",
      { class: `task-status ${status}`, role: "img", "aria-label": TASK_WORDS[status] ?? status },
      status === "complete" ? icon("check") : status === "error" ? icon("close") : null,
    ),
    el("span", { class: "task-title" }, block.title),
  ];
  return more.length
    ? el(
        "details",
        { class: "task-card", open: status === "in_progress" || status === "error" },
        el("summary", {}, head),
        el("div", { class: "task-body" }, more),
      )
    : el("div", { class: "task-card" }, el("div", { class: "task-summary" }, head));
}

const plan = (block, surface) =>
  el(
    "div",
    { class: "plan-block" },
    el("div", { class: "plan-title" }, block.title),
    (block.tasks ?? []).map((task) => taskCard(task, surface)),
  );

const alertBlock = (block, surface) =>
  el(
    "div",
    { class: `alert-block level-${block.level ?? "default"}`, role: "note" },
    icon(["warning", "error"].includes(block.level) ? "warning" : block.level === "success" ? "check" : "info"),
    el("div", { class: "text" }, textObject(block.text, surface.people)),
  );

const card = (block, surface) =>
  el(
    "div",
    { class: "card-block" },
    block.hero_image ? image(block.hero_image) : null,
    block.title || block.subtitle || block.icon
      ? el(
          "div",
          { class: "card-head" },
          block.icon ? el("span", { class: "context-image" }, image(block.icon)) : null,
          el(
            "div",
            {},
            block.title ? el("div", { class: "card-title" }, textObject(block.title, surface.people)) : null,
            block.subtitle ? el("div", { class: "muted" }, textObject(block.subtitle, surface.people)) : null,
          ),
        )
      : null,
    block.body ? el("div", { class: "text" }, textObject(block.body, surface.people)) : null,
    block.actions?.length
      ? el(
          "div",
          { class: "actions" },
          block.actions.map((item) => element(block, item, surface)),
        )
      : null,
  );

const BLOCKS = {
  section,
  context,
  input,
  table,
  plan,
  card,
  task_card: taskCard,
  alert: alertBlock,
  image: imageBlock,
  header: (block, surface) =>
    el("div", { class: "header-block", role: "heading", "aria-level": 2 }, textObject(block.text, surface.people)),
  divider: () => el("hr", { class: "divider-block" }),
  actions: (block, surface) =>
    el(
      "div",
      { class: "actions" },
      block.elements.map((item) => element(block, item, surface)),
    ),
  rich_text: (block, surface) => richText(block, surface.people),
  markdown: (block, surface) => el("div", { class: "markdown" }, markdown(block.text, surface.people)),
  file: (block) => file(block.file ?? { id: block.external_id ?? "file" }),
};

function draw(block, surface) {
  const body = Object.hasOwn(BLOCKS, block.type)
    ? BLOCKS[block.type](block, surface)
    : el("p", { class: "unsupported" }, `This page cannot show a block of type ${block.type}.`);
  return el(
    "div",
    {
      class: `block block-${Object.hasOwn(BLOCKS, block.type) ? block.type : "unknown"}`,
      dataset: { block: block.block_id ?? "" },
    },
    body,
  );
}

/**
 * Brings a container's blocks up to date, leaving alone those that did not change. A surface adds to what
 * control.js needs: errorText(block), the text beneath a field or null.
 */
export function renderBlocks(container, blocks, surface) {
  const seen = new Map();
  const items = blocks.map((block, index) => {
    const name = block.block_id ?? `${block.type} ${index}`;
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return { key: `${name} ${times}`, block, signature: JSON.stringify([block, surface.errorText(block)]) };
  });
  reconcile(container, items, ({ block }) => draw(block, surface));
}
