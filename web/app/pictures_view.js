/**
 * Owns how the pictures of a post look, and the window that shows one large. Must never show a picture from anywhere but this server.
 */
import { el, icon } from "./dom.js";

/** The pictures of a post, each a button that shows it large; null where there are none. */
export function picturesOf({ media = [] }) {
  if (media.length === 0) return null;
  return el("div", { class: "pictures" }, ...media.map((picture, at) => el("button", {
    type: "button", "aria-label": picture.alt ? `Picture: ${picture.alt}. Show it large` : `Picture ${at + 1} of ${media.length}, without a description. Show it large`,
    onclick: () => look(media, at),
  }, el("img", { src: media.length === 1 ? picture.url : picture.thumb_url ?? picture.url, alt: "", width: picture.width, height: picture.height, loading: "lazy", decoding: "async" }))));
}

/** One after the other, with the arrow keys too; Escape closes. */
function look(media, first) {
  const before = document.activeElement;
  let at = first;
  const picture = el("img", {});
  const words = el("p", { role: "status" });
  const turn = (by) => { at = (at + by + media.length) % media.length; draw(); };
  const turner = (name, by, way) => el("button", { type: "button", class: `round ${way}`, "aria-label": name, onclick: () => turn(by) }, icon("back"));
  const close = () => dialog.close();
  const several = media.length > 1;
  const dialog = el("dialog", { class: "dialog looking", "aria-label": "Picture", onclick: (event) => { if (event.target === dialog) close(); } }, picture,
    el("div", { class: "row" }, several && turner("Picture before", -1, ""), words, several && turner("Next picture", 1, "turned"),
      el("button", { type: "button", class: "round", "aria-label": "Close", onclick: close }, icon("cross"))));
  const draw = () => {
    const { url, alt = "", width, height } = media[at];
    for (const [name, value] of Object.entries({ src: url, alt, width, height })) picture.setAttribute(name, value);
    words.textContent = [several && `${at + 1} of ${media.length}`, alt].filter(Boolean).join(" · ");
  };
  dialog.addEventListener("keydown", (event) => {
    if (several && event.key === "ArrowLeft") turn(-1);
    if (several && event.key === "ArrowRight") turn(1);
  });
  addEventListener("hashchange", close, { once: true });
  dialog.addEventListener("close", () => {
    removeEventListener("hashchange", close);
    dialog.remove();
    if (before?.isConnected) before.focus();
  });
  draw();
  document.body.append(dialog);
  dialog.showModal();
}
