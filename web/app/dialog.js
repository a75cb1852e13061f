/**
 * Owns the windows above the page: one at a time, closed by Escape, by its button, or by leaving the page under it. The focus goes back to where it was.
 */
import { el, icon } from "./dom.js";

let made = 0;

/**
 * @param {{ title: string, body: Node[], wide?: boolean }} options
 * @returns {{ node: HTMLDialogElement, close: () => void, closed: Promise<void> }}
 */
export function openDialog({ title, body, wide = false }) {
  const before = document.activeElement;
  const id = `window-${(made += 1)}`;
  const close = () => node.close();
  const node = el("dialog", { class: `dialog ${wide ? "broad" : ""}`, "aria-labelledby": id },
    el("div", { class: "row between" }, el("h2", { id, tabindex: -1 }, title),
      el("button", { type: "button", class: "round", "aria-label": "Close", title: "Close", onclick: close }, icon("cross"))),
    ...body);
  const closed = new Promise((resolve) => {
    node.addEventListener("close", () => {
      removeEventListener("hashchange", close);
      node.remove();
      if (before?.isConnected) before.focus();
      resolve();
    });
  });
  addEventListener("hashchange", close);
  document.body.append(node);
  node.showModal();
  return { node, close, closed };
}
