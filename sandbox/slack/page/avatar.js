// A person's picture: their initials on their colour.
import { el } from "./dom.js";

const HEX = /^#?([0-9a-f]{6})$/i;

/** A person as the page shows them; someone unknown keeps their id. */
export const personOrId = (people, id) =>
  people.person(id) ?? { id, name: id, real_name: id ?? "Slack", initials: "?", color: "#868686", role: "unknown" };

export function avatar(person, size = "") {
  const colour = HEX.exec(person.color ?? "");
  return el(
    "span",
    { class: `avatar ${size}`, "aria-hidden": "true", style: { "--avatar": colour ? `#${colour[1]}` : "#6b7280" } },
    person.initials,
  );
}

const ROLES = {
  operator: "operator",
  approver: "approver",
  approver2: "approver",
  stranger: "stranger",
  guest: "guest",
  outsider: "outside partner",
  deactivated: "deactivated",
  bot: "app",
};

export const roleWords = (person) => ROLES[person.role] ?? person.role;
