/**
 * Owns the look of a post inside another one, which it hands on. Must never show more of it than the server gives.
 */
import { avatar, el } from "./dom.js";
import { picturesOf } from "./pictures_view.js";
import { prose, timeOf } from "./words.js";
import { visibilitySign } from "./visibility.js";

/** So much of it is shown inside. */
const CHARACTERS = 400;

/** @param {{ state: string, post: object | null }} found as the client's references tell */
export function referenceOf({ state, post }, person) {
  if (state === "loading") return el("div", { class: "inside" }, el("p", { class: "meta" }, "Loading the post…"));
  if (!post) return el("div", { class: "inside" }, el("p", { class: "gone" }, "This post is not available."));
  const letters = [...post.text];
  const long = letters.length > CHARACTERS;
  const shown = post.warning
    ? el("p", { class: "meta" }, `Warning: ${post.warning}`)
    : post.text !== "" && el("div", { class: "prose" }, ...(long ? [`${letters.slice(0, CHARACTERS).join("")}…`] : prose(post.text, post)));
  return el("div", { class: "inside", role: "group", "aria-label": `Post by ${person.name}` },
    el("div", { class: "head" }, avatar(person, "small"),
      el("div", { class: "who" },
        el("a", { class: "name", href: `#/user/${person.handle}` }, person.name),
        el("span", { class: "meta" }, `@${person.handle} · `, el("a", { class: "when", href: `#/post/${post.id}` }, el("span", { class: "spoken" }, "Posted "), timeOf(post.created_at)),
          visibilitySign(post)))),
    shown, !post.warning && picturesOf(post));
}
