// Light, dark, or as the system says; the choice is kept in this browser.
const NEXT = { system: "dark", dark: "light", light: "system" };
const KEY = "sandbox-slack-theme";

export const theme = () => document.documentElement.dataset.theme ?? "system";

function use(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

export function restoreTheme() {
  const kept = localStorage.getItem(KEY);
  use(Object.hasOwn(NEXT, kept ?? "") ? kept : "system");
}

/** The next of the three; returns its name. */
export function nextTheme() {
  const name = NEXT[theme()];
  use(name);
  localStorage.setItem(KEY, name);
  return name;
}
