// The open modals of a person: the one on top is shown, what is beneath comes back when it closes.
import * as api from "./api.js";
import { avatar } from "./avatar.js";
import { renderBlocks } from "./blocks.js";
import { composing, el } from "./dom.js";
import { icon } from "./icons.js";
import { textObject } from "./mrkdwn.js";
import { on, people, state } from "./state.js";
import { makeSurface } from "./surface.js";

const surfaces = new Map(); // person → view id → surface; typed values live as long as the view is open

export function modals(dialog) {
  const title = el("h2", { id: "modal-title", tabindex: -1 });
  const depth = el("span", { class: "modal-depth" });
  const face = el("span", { class: "modal-face" });
  const banner = el("div", { class: "modal-banner", role: "alert", hidden: true });
  const body = el("div", { class: "modal-body blocks" });
  const cancel = el("button", { type: "button", class: "button", onclick: () => leave(false) });
  const submit = el("button", { type: "submit", class: "button primary" });
  const form = el(
    "form",
    {
      class: "modal",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        send();
      },
    },
    el(
      "header",
      { class: "modal-head" },
      face,
      title,
      depth,
      el(
        "button",
        {
          type: "button",
          class: "tool",
          "aria-label": "Close",
          title: "Close (everything)",
          onclick: () => leave(true),
        },
        icon("close"),
      ),
    ),
    banner,
    body,
    el("footer", { class: "dialog-foot" }, cancel, submit),
  );
  dialog.setAttribute("aria-labelledby", "modal-title");
  dialog.append(form);
  dialog.addEventListener("keydown", keys);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  let shown = null; // {id, view, surface} of the view on top
  let busy = false;

  function keys(event) {
    if (composing(event) || !shown) return;
    if (event.key === "Escape") {
      event.preventDefault();
      leave(false);
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
  }

  function say(words) {
    banner.hidden = !words;
    banner.replaceChildren(...(words ? [icon("warning"), words] : []));
  }

  function draw() {
    renderBlocks(body, shown.view.blocks, shown.surface);
    // What is only read has to be scrolled by the keyboard, too.
    if (body.querySelector("input, textarea, select, button, a[href]")) body.removeAttribute("tabindex");
    else body.tabIndex = 0;
  }

  function work(on_) {
    busy = on_;
    form.setAttribute("aria-busy", String(on_));
    submit.disabled = on_;
  }

  async function leave(all) {
    const { id } = shown;
    say(null);
    try {
      await api.close(state.me, id, all);
    } catch (error) {
      if (shown?.id === id) say(error.message);
    }
  }

  async function send() {
    if (busy || !shown.view.submit) return;
    const { id, surface } = shown;
    document.activeElement?.blur?.(); // a picker counts its value when it is left
    say(null);
    work(true);
    try {
      const answer = await api.submit(state.me, id, surface.form.values());
      if (shown?.id === id) {
        surface.errors = answer.errors ?? {};
        say(answer.error);
      }
    } catch (error) {
      if (shown?.id === id) say(error.message);
    } finally {
      work(false);
    }
    if (shown?.id === id && Object.keys(surface.errors).length) showErrors();
  }

  function showErrors() {
    draw();
    const wrong = body.querySelector(".input-block.invalid :is(input, textarea, select)");
    (wrong ?? (document.activeElement === document.body ? title : document.activeElement)).focus();
  }

  function focusFirst() {
    const wanted = shown.view.blocks.find((block) => (block.element ?? block.accessory)?.focus_on_load);
    const inside = wanted ? body.querySelector(`[data-block="${CSS.escape(wanted.block_id)}"]`) : body;
    (inside?.querySelector("input:not([disabled]), textarea, select") ?? title).focus({
      preventScroll: Boolean(!wanted),
    });
  }

  /** The surface of a view; those of views that are gone are dropped. */
  function surfaceOf(id) {
    const mine = surfaces.get(state.me) ?? new Map();
    surfaces.set(state.me, mine);
    for (const old of mine.keys()) if (!state.views.some((view) => view.id === old)) mine.delete(old);
    if (!mine.has(id)) mine.set(id, makeSurface("modal", { view_id: id }, id));
    return mine.get(id);
  }

  function hide() {
    shown = null;
    if (dialog.open) dialog.close();
  }

  on(["place"], () => state.views.length || hide());
  on(["views"], () => {
    const top = state.views.at(-1);
    if (!top) {
      surfaces.delete(state.me);
      hide();
      return;
    }
    const { id, view } = top;
    const fresh = shown?.id !== id;
    const surface = surfaceOf(id);
    surface.form.adopt(view.blocks, view.state.values);
    surface.errors = top.errors;
    shown = { id, view, surface };
    face.replaceChildren(avatar(people.person(state.workspace.bot.user_id), "small"));
    title.replaceChildren(textObject(view.title, people));
    depth.textContent = state.views.length > 1 ? `View ${state.views.length}` : "";
    cancel.replaceChildren(textObject(view.close ?? (view.submit ? "Cancel" : "Close"), people));
    submit.hidden = !view.submit;
    submit.replaceChildren(view.submit ? textObject(view.submit, people) : "");
    if (fresh) {
      body.replaceChildren();
      body.scrollTop = 0;
      work(false);
    }
    say(top.trouble);
    draw();
    if (!dialog.open) dialog.showModal();
    if (fresh) focusFirst();
  });
}
