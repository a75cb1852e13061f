/**
 * Owns how it is said who may see a post.
 */
import { el, icon } from "./dom.js";

export const VISIBILITIES = {
  public: { name: "Everybody", picture: "globe" },
  followers: { name: "Followers", picture: "people", sign: "For followers" },
  mentioned: { name: "People mentioned", picture: "at", sign: "For people mentioned" },
  private: { name: "Only me", picture: "lock", sign: "Only for you" },
};

/** The sign of a post that is not for everybody; nothing for others. */
export function visibilitySign({ visibility = "public" }, mine) {
  const kind = VISIBILITIES[visibility];
  if (!kind?.sign) return null;
  const text = visibility === "private" && !mine ? "Private" : kind.sign;
  return el("span", { class: "sees" }, icon(kind.picture), text);
}

/** The choice of it. */
export function visibilityChoice(id, value = "public") {
  const select = el("select", { id, "aria-label": "Who may see it" },
    ...Object.entries(VISIBILITIES).map(([key, { name }]) => el("option", { value: key }, name)));
  select.value = value;
  return select;
}
