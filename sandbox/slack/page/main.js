// Puts the page together.
import { conversation } from "./conversation.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { modals } from "./modal.js";
import { personNumber, personSwitcher } from "./persons.js";
import { sidebar, stepChannel } from "./sidebar.js";
import { on, state } from "./state.js";
import { start } from "./sync.js";
import { nextTheme, restoreTheme, theme } from "./theme.js";

const byId = (id) => document.getElementById(id);
const body = document.body;
restoreTheme();

function themeButton() {
  const button = el("button", { type: "button", class: "tool theme-button", onclick: () => draw(nextTheme()) });
  function draw(name) {
    button.replaceChildren(icon(name));
    button.title = `Colours: ${name}`;
    button.setAttribute("aria-label", `Colours: ${name}. Change`);
  }
  draw(theme());
  return button;
}

function narrowMenu() {
  const button = byId("menu-button");
  const show = (open) => {
    body.classList.toggle("menu-open", open);
    button.setAttribute("aria-expanded", String(open));
  };
  button.append(icon("menu"));
  button.addEventListener("click", () => show(!body.classList.contains("menu-open")));
  byId("menu-shade").addEventListener("click", () => show(false));
  byId("sidebar").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !body.classList.contains("menu-open")) return;
    show(false);
    button.focus();
  });
  return show;
}

function keys(talk) {
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const number = /^Digit([1-9])$/.exec(event.code);
    if (number) personNumber(Number(number[1]));
    else if (event.key === "ArrowDown") stepChannel(1);
    else if (event.key === "ArrowUp") stepChannel(-1);
    else return;
    event.preventDefault();
    talk.focus();
  });
}

const show = narrowMenu();
byId("tools").append(themeButton());
personSwitcher(byId("persons"));
sidebar(byId("channels"), () => show(false));
const talk = conversation(byId("conversation"), byId("thread"));
modals(byId("modal"));
keys(talk);
byId("skip").addEventListener("click", () => byId("conversation").focus());

/** Whether anybody hears what is typed: Socket Mode connections of the app. */
function drawBot() {
  const { bot, connections, delivery } = state.workspace;
  const there = delivery === "http" || connections > 0;
  byId("bot").textContent = there ? `${bot.name} is connected` : `${bot.name} is not connected`;
  byId("bot").classList.toggle("absent", !there);
}

on(["workspace"], () => {
  drawBot();
  byId("team").textContent = state.workspace.team.name;
  body.classList.remove("loading");
});
on(["connection"], () => {
  body.classList.toggle("offline", !state.connected);
  byId("connection").textContent = state.connected ? "" : "The pretend workspace does not answer. Reconnecting…";
});

await start();
talk.focus();
