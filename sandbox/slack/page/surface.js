// Where controls live: a message, a modal or App Home. Sends what people do there, and shows when that failed.
import * as api from "./api.js";
import { confirmed } from "./confirm.js";
import { el } from "./dom.js";
import { FormState } from "./form.js";
import { icon } from "./icons.js";
import { people, state } from "./state.js";

/**
 * A sign beside a control that what it was to do did not happen; goes with the next try. Words that stand elsewhere
 * already (Slack's own, beneath the message or above the view) are only its title.
 */
function trouble(node, words, standElsewhere = false) {
  node.parentElement?.querySelectorAll(":scope > .trouble").forEach((old) => old.remove());
  if (!words) return;
  node.after(
    el(
      "span",
      { class: "trouble", role: "img", "aria-label": words, title: words },
      icon("warning"),
      standElsewhere ? null : el("span", {}, words),
    ),
  );
}

/**
 * A surface for controls (see control.js and blocks.js). kind: "message", "modal" or "home"; target: what its actions
 * name, {channel, ts} or {view_id}; name: a word for ids that no other surface on the page has.
 */
export function makeSurface(kind, target, name) {
  const form = new FormState();
  const surface = {
    kind,
    people,
    form,
    errors: {},
    errorText: (block) => surface.errors[block.block_id] ?? null,
    errorId: (block) => (surface.errors[block.block_id] ? `error-${name}-${block.block_id}` : null),

    async act(block, element, action, node) {
      if (element.confirm && !(await confirmed(element.confirm, people))) return false;
      if (node.getAttribute("aria-busy") === "true") return false;
      node.setAttribute("aria-busy", "true");
      trouble(node, null);
      try {
        const answer = await api.press({
          as: state.me,
          ...target,
          block_id: block.block_id,
          action_id: element.action_id,
          ...action,
          values: form.values(),
        });
        trouble(node, answer.error, true);
        return !answer.error;
      } catch (error) {
        trouble(node, error.message);
        return false;
      } finally {
        node.removeAttribute("aria-busy");
      }
    },

    async options(block, element, text) {
      const answer = await api.options({
        as: state.me,
        ...target,
        block_id: block.block_id,
        action_id: element.action_id,
        value: text,
      });
      if (answer.error) throw new Error(answer.error);
      return answer;
    },
  };
  return surface;
}
