/**
 * Owns the single-key shortcuts. Must never act while somebody types, and can be switched off.
 */
import { el } from "./dom.js";

const KEY = "tidings.shortcuts";
const LIST = [["n", "new post"], ["j", "next post"], ["k", "previous post"], ["Enter", "open the post"], [".", "show new posts"], ["/", "search"]];

export function shortcuts(app, place) {
  const box = el("input", { type: "checkbox", id: "shortcuts", onchange: () => localStorage.setItem(KEY, box.checked ? "on" : "off") });
  box.checked = localStorage.getItem(KEY) !== "off";
  place.append(el("section", { class: "keys" },
    el("h2", {}, "Keyboard"),
    el("dl", {}, ...LIST.flatMap(([key, deed]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, deed)])),
    el("label", { for: "shortcuts", class: "hint check" }, box, "Single-key shortcuts")));
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
    if (!box.checked || typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const act = { n: () => write(app), j: () => step(1), k: () => step(-1), "/": search, ".": () => document.querySelector(".pill:not([hidden])")?.click() }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function write(app) {
  if (!app.user) {
    location.hash = "#/login";
    return;
  }
  const area = () => document.querySelector(".writing textarea");
  if (area()) return area().focus();
  addEventListener("tidings:shown", () => area()?.focus(), { once: true });
  location.hash = "#/home";
}

function search() {
  const field = document.getElementById("search-field");
  if (field) field.select();
  else location.hash = "#/search";
}

function step(by) {
  const cards = [...document.querySelectorAll("#main article")];
  if (cards.length === 0) return;
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[at < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, at + by))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
