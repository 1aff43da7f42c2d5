// App Home: the view that the app published for a person.
import { renderBlocks } from "./blocks.js";
import { el } from "./dom.js";
import { makeSurface } from "./surface.js";

/** {node, show(me, home)}: home is {id, view} or null. */
export function appHome() {
  const blocks = el("div", { class: "blocks" });
  const empty = el("p", { class: "empty" }, "The app has not published a Home for this person yet.");
  const node = el(
    "div",
    { class: "scroller app-home", id: "home-panel", role: "tabpanel", "aria-label": "Home", tabindex: 0 },
    empty,
    blocks,
  );
  let surface = null;
  let id = null;

  function show(home) {
    empty.hidden = home !== null;
    blocks.hidden = home === null;
    if (home === null) return;
    if (id !== home.id) {
      id = home.id;
      surface = makeSurface("home", { view_id: home.id }, home.id);
      blocks.replaceChildren();
    }
    surface.form.adopt(home.view.blocks, home.view.state.values);
    renderBlocks(blocks, home.view.blocks, surface);
  }
  return { node, show };
}
