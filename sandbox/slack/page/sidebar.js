// Channels, direct messages, and what is new in them.
import { avatar, personOrId } from "./avatar.js";
import { el, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { channelsOf, go, on, people, placeHash, state } from "./state.js";

const ICONS = { public: "hash", private: "lock", shared: "shared" };
const KINDS = {
  public: "channel",
  private: "private channel",
  shared: "channel shared with another workspace",
  dm: "direct message",
};

/** Who a direct message is with, seen by the person who looks. */
export function otherIn(channel) {
  const id = channel.members.find((member) => member !== state.me) ?? channel.members[0];
  return personOrId(people, id);
}

export const titleOf = (channel) => (channel.kind === "dm" ? otherIn(channel).real_name : channel.name);

function row({ channel, open, unread }) {
  const title = titleOf(channel);
  const words = `${title}, ${KINDS[channel.kind]}${unread ? `, ${unread} unread` : ""}`;
  return el(
    "a",
    {
      class: `channel${open ? " open" : ""}${unread ? " unread" : ""}${channel.members.includes(state.me) ? "" : " outside"}`,
      href: placeHash(state.me, channel.id),
      "aria-current": open ? "page" : null,
      "aria-label": words,
      dataset: { focus: `channel ${channel.id}`, channel: channel.id },
    },
    channel.kind === "dm" ? avatar(otherIn(channel), "tiny") : icon(ICONS[channel.kind] ?? "hash"),
    el("span", { class: "channel-name" }, el("bdi", {}, title)),
    unread ? el("span", { class: "unread-count", "aria-hidden": "true" }, String(unread)) : null,
  );
}

/** Fills the navigation; `onChoose` is called when a channel was chosen (a narrow screen then closes it). */
export function sidebar(nav, onChoose) {
  const channels = el("div", { class: "channel-group" });
  const direct = el("div", { class: "channel-group" });
  nav.append(el("h2", {}, "Channels"), channels, el("h2", {}, "Direct messages"), direct);
  nav.addEventListener("click", (event) => event.target.closest(".channel") && onChoose());

  function draw() {
    if (!state.workspace) return;
    const rows = channelsOf(state.me).map((channel) => {
      const open = channel.id === state.channel;
      const unread = open ? 0 : (state.unread.get(`${state.me} ${channel.id}`) ?? 0);
      return {
        key: `${state.me} ${channel.id}`,
        channel,
        open,
        unread,
        signature: JSON.stringify([channel, open, unread]),
      };
    });
    reconcile(
      channels,
      rows.filter((one) => one.channel.kind !== "dm"),
      row,
    );
    reconcile(
      direct,
      rows.filter((one) => one.channel.kind === "dm"),
      row,
    );
  }
  on(["place", "workspace", "unread"], draw);
}

/** Alt+Up and Alt+Down go through the channels, as in Slack. */
export function stepChannel(step) {
  const all = channelsOf(state.me);
  const order = [...all.filter((one) => one.kind !== "dm"), ...all.filter((one) => one.kind === "dm")];
  const at = order.findIndex((one) => one.id === state.channel);
  const next = order[(at + step + order.length) % order.length];
  if (next) go({ channel: next.id });
}
