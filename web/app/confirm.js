/**
 * Owns the one question the page asks back: "really?".
 */
import { el } from "./dom.js";

/**
 * @param {{ title: string, text: string, action: string }} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const dialog = el("dialog", { class: "dialog", "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
      el("form", { method: "dialog" },
        el("h2", { id: "dialog-title" }, title),
        el("p", { id: "dialog-text" }, text),
        el("div", { class: "row end" },
          el("button", { value: "no", class: "plain", autofocus: true }, "Cancel"),
          el("button", { value: "yes", class: "danger" }, action))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
