/**
 * Owns how reactions look: what they are called, the chips with their counts, and the choice of one.
 */
import { el } from "./dom.js";
import { count } from "./words.js";

/** The wire's words, in the order shown. */
export const REACTIONS = {
  like: ["👍", "Like"], love: ["❤️", "Love"], laugh: ["😂", "Laugh"], wow: ["😮", "Wow"],
  sad: ["😢", "Sad"], angry: ["😠", "Angry"], thanks: ["🙏", "Thanks"], party: ["🎉", "Party"],
};

/** What was given so far: one's own is pressed; pressing it again takes it back. */
export function reactionChips(counts, mine, choose) {
  const given = Object.keys(REACTIONS).filter((kind) => counts?.reactions?.[kind] > 0);
  return el("div", { class: "chips", role: "group", "aria-label": "Reactions", hidden: given.length === 0 },
    ...given.map((kind) => chip(kind, mine, choose, counts.reactions[kind])));
}

/** All there are. */
export function reactionChoice(mine, choose, close) {
  const choice = el("div", { class: "choice", role: "group", "aria-label": "React with", onkeydown: keyed }, ...Object.keys(REACTIONS).map((kind) => chip(kind, mine, choose)));
  function keyed(event) {
    if (event.key === "Escape") close();
  }
  return choice;
}

function chip(kind, mine, choose, number) {
  const [picture, name] = REACTIONS[kind];
  return el("button", {
    type: "button", class: "chip", "data-react": kind, title: name, "aria-pressed": String(mine?.reaction === kind), disabled: !choose,
    "aria-label": number === undefined ? name : `${name}: ${number}`, onclick: () => choose(mine?.reaction === kind ? null : kind),
  }, el("span", { "aria-hidden": "true" }, picture), number !== undefined && count(number));
}
