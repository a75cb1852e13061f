/**
 * Owns the writing of a post with all that belongs to it: who may see it, a warning, and what it quotes.
 */
import { composer } from "./composer.js";
import { el } from "./dom.js";
import { visibilityChoice } from "./visibility.js";
import { characters } from "./words.js";

const WARNING_CHARS = 200;
let made = 0;

/**
 * @param {{ post?: object, of?: string, inside?: Node, place?: string, label: string, placeholder?: string, action: string,
 *   send: (text: string, id: string, values: object) => Promise<any>, cancel?: () => void }} options
 *   `post` is edited, or `of` is quoted, shown by `inside`
 */
export function postComposer(app, { post, of, inside, ...options }) {
  const key = `post-${(made += 1)}`;
  const choice = visibilityChoice(`${key}-sees`, post?.visibility);
  const line = el("input", { id: `${key}-warning`, placeholder: "What is it about?", autocomplete: "off", value: post?.warning ?? "" });
  const field = el("div", { class: "warn-line", hidden: !post?.warning }, el("label", { class: "spoken", for: `${key}-warning` }, "Content warning"), line);
  const toggle = el("button", {
    type: "button", class: "small", "aria-pressed": String(Boolean(post?.warning)), "aria-controls": `${key}-warning`, title: "Content warning",
    onclick: () => {
      field.hidden = !field.hidden;
      toggle.setAttribute("aria-pressed", String(!field.hidden));
      if (field.hidden) line.value = "";
      else line.focus();
    },
  }, "Warning");
  const warning = () => line.value.trim();
  return composer({
    limit: app.limits.post_chars, text: post?.text, ...options,
    extra: {
      above: el("div", { class: "stack" }, field, inside),
      beside: el("div", { class: "extras" }, choice, toggle),
      good: () => characters(warning()) <= WARNING_CHARS,
      // An edit says all there is: "" takes a warning away.
      values: () => (post
        ? { visibility: choice.value === (post.visibility ?? "public") ? undefined : choice.value, warning: warning() === (post.warning ?? "") ? undefined : warning() }
        : { visibility: choice.value === "public" ? undefined : choice.value, warning: warning() || undefined, of }),
      reset: () => {
        choice.value = "public";
        line.value = "";
        field.hidden = true;
        toggle.setAttribute("aria-pressed", "false");
      },
    },
  });
}
