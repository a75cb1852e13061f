/**
 * Owns finding people: whom somebody may mean who types an `@`, and how people found are shown.
 */
import { avatar, el } from "./dom.js";

/** For a text area's list of mentions; under a post those who wrote there come first. Nothing for who is not logged in. */
export function suggesting(app, post) {
  if (!app.user) return undefined;
  return async (prefix) => (await app.client.request("mention.suggest", { prefix, post }, { timeoutMs: 3_000 })).people;
}

/** A row about a person; `beside` is what can be done. */
export function personRow(person, ...beside) {
  return el("li", { class: "row person" }, avatar(person),
    el("div", { class: "who" },
      el("a", { class: "name", href: `#/user/${person.handle}` }, person.name),
      el("span", { class: "meta" }, `@${person.handle}`), person.bot && el("span", { class: "badge" }, "bot")),
    ...beside);
}

/** Follows or stops following, as far as the page knows; what was just done it knows before it is told. */
export function followButton(app, person, following, now = app.follows(person.id) ?? following) {
  if (!app.user || person.id === app.user.id) return null;
  const button = el("button", {
    type: "button", class: `small ${now ? "" : "follow"}`, "aria-label": `${now ? "Unfollow" : "Follow"} ${person.name}`,
    onclick: async () => {
      if (await app.setFollow(person.id, !now, button)) {
        const next = followButton(app, person, !now, !now);
        button.replaceWith(next);
        next.focus();
      }
    },
  }, now ? "Unfollow" : "Follow");
  return button;
}
