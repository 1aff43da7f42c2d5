// Slack's confirm dialog of an element.
import { composing, el } from "./dom.js";
import { textObject } from "./mrkdwn.js";

/**
 * Asks; resolves to true only when the person confirmed. `confirm`: the composition object
 * {title, text, confirm, deny, style?}.
 */
export function confirmed(confirm, people) {
  return new Promise((resolve) => {
    const finish = (answer) => {
      resolve(answer);
      dialog.close(); // gives the focus back
      dialog.remove();
    };
    const yes = el(
      "button",
      {
        type: "button",
        class: `button ${confirm.style === "danger" ? "danger" : "primary"}`,
        onclick: () => finish(true),
      },
      confirm.confirm ? textObject(confirm.confirm, people) : "Yes",
    );
    const no = el(
      "button",
      { type: "button", class: "button", onclick: () => finish(false) },
      confirm.deny ? textObject(confirm.deny, people) : "Cancel",
    );
    const dialog = el(
      "dialog",
      {
        class: "dialog confirm-dialog",
        "aria-labelledby": "confirm-title",
        "aria-describedby": "confirm-text",
        onkeydown: (event) => {
          if (composing(event) || event.key !== "Escape") return;
          event.preventDefault();
          event.stopPropagation();
          finish(false);
        },
        onclose: () => finish(false),
      },
      el("h2", { id: "confirm-title" }, textObject(confirm.title, people)),
      el("div", { id: "confirm-text", class: "confirm-text" }, textObject(confirm.text, people)),
      el("div", { class: "dialog-foot" }, no, yes),
    );
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}
