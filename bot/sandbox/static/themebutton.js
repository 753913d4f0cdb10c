// Light, dark, or as the system has it.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const ORDER = ["auto", "light", "dark"];
const ICONS = { auto: "auto", light: "sun", dark: "moon" };
const WORDS = { auto: "as the system", light: "light", dark: "dark" };

export function themeButton() {
  const button = h("button", { type: "button", class: "icon-button", dataset: { focus: "theme" } });
  const draw = () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const label = `Theme: ${WORDS[now]}`;
    button.replaceChildren(icon(ICONS[now]));
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = ORDER[(ORDER.indexOf(now) + 1) % ORDER.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
    draw();
  });
  draw();
  return button;
}
