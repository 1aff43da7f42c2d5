// What all of Block Kit's controls share.
//
// A control is made for a surface: {kind: "message"|"modal"|"home", people, form: FormState,
//   act(block, element, action, node): sends the action, false when it was refused or not confirmed,
//   options(block, element, text): an external select's options, errorId(block): the id of its error text or null}.
import { stateKey } from "./form.js";

export const focusKey = (block, element) => `${block.block_id} ${element.action_id}`;

/** What a screen reader calls a control: its block's label, or its placeholder. */
export const labelOf = (block, element) =>
  element.accessibility_label ?? block.label?.text ?? element.placeholder?.text ?? element.type.replaceAll("_", " ");

/** Whether a change of this element is sent to the app at once (Slack docs: input block, dispatch_action). */
export const dispatches = (block) => block.type !== "input" || block.dispatch_action === true;

/** Keeps a control's new value and sends it where the app wants to know; false when the app was not told. */
export async function commit(surface, block, element, value, node) {
  surface.form.set(block.block_id, element, value);
  if (!dispatches(block)) return true;
  return surface.act(block, element, { [stateKey(element)]: value }, node);
}
