// The person switcher: whom one acts as. One radio per person, so arrow keys walk through them.
import { avatar, roleWords } from "./avatar.js";
import { el, reconcile } from "./dom.js";
import { go, on, people, state } from "./state.js";

function radio({ person, chosen, number }) {
  const words = `${person.real_name}, ${roleWords(person)}`;
  return el(
    "label",
    { class: `person${chosen ? " chosen" : ""}`, title: `${words} (Alt+${number})`, dataset: { person: person.id } },
    el("input", {
      type: "radio",
      name: "person",
      class: "visually-hidden",
      value: person.id,
      checked: chosen,
      "aria-label": words,
      dataset: { focus: `person ${person.id}` },
      onchange: () => go({ me: person.id }),
    }),
    avatar(person, "small"),
  );
}

const persons = () => state.workspace.people.filter((one) => one.role !== "bot");

export function personSwitcher(holder) {
  const row = el("div", { class: "persons", role: "radiogroup", "aria-label": "Act as" });
  const name = el("span", { class: "acting-name" });
  const role = el("span", { class: "acting-role" });
  holder.append(
    el("span", { class: "acting-label", "aria-hidden": "true" }, "Acting as"),
    row,
    el("span", { class: "acting" }, name, role),
  );
  on(["place", "workspace"], () => {
    if (!state.me) return;
    const me = people.person(state.me);
    name.textContent = me.real_name;
    role.textContent = roleWords(me);
    reconcile(
      row,
      persons().map((person, index) => {
        const chosen = person.id === state.me;
        return { key: person.id, person, chosen, number: index + 1, signature: JSON.stringify([person, chosen]) };
      }),
      radio,
    );
  });
}

/** Alt+1 … Alt+9. */
export function personNumber(number) {
  const person = persons()[number - 1];
  if (person) go({ me: person.id });
}
