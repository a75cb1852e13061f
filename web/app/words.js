/**
 * Owns how things are said to people: times, counts, links in texts, and what went wrong.
 */
import { el } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"']+/gi;

/**
 * A text as nodes. Only http and https become links, and what the server has found to be hashtags and mentions.
 * @param {{ tags?: object[], mentions?: object[] }} [spans] as they come with a post
 */
export function prose(text, { tags = [], mentions = [] } = {}) {
  const letters = [...text]; // Spans count Unicode scalar values.
  const nodes = [];
  let from = 0;
  const inner = [
    ...tags.map(({ start, end, tag }) => ({ start, end, href: `#/tag/${encodeURIComponent(tag)}` })),
    ...mentions.map(({ start, end, handle }) => ({ start, end, href: `#/user/${handle}` })),
  ].sort((one, other) => one.start - other.start);
  for (const { start, end, href } of inner) {
    if (start < from) continue;
    nodes.push(...addresses(letters.slice(from, start).join("")), el("a", { href, class: "span" }, letters.slice(start, end).join("")));
    from = end;
  }
  nodes.push(...addresses(letters.slice(from).join("")));
  return nodes;
}

/** Addresses in a text, as links. */
function addresses(text) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const address = found[0].replace(/[.,;:!?)\]}]+$/, "");
    if (!URL.canParse(address)) continue;
    nodes.push(text.slice(from, found.index));
    nodes.push(el("a", { href: new URL(address).href, rel: "noopener noreferrer nofollow", target: "_blank" }, address));
    from = found.index + address.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

/** Characters as people and the server count them. */
export const characters = (text) => [...text].length;

export const count = (number) => number.toLocaleString("en");
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** "3 min", "2 h", "14 Nov". */
export function ago(at, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h`;
  const then = new Date(at);
  const year = then.getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", year });
}

/** A time that keeps itself right: see {@link refreshTimes}. */
export function timeOf(at) {
  const then = new Date(at);
  return el("time", { datetime: then.toISOString(), title: then.toLocaleString(), "data-at": at }, ago(at));
}

/** Brings all times on the page up to now. */
export function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-at]")) {
    const text = ago(Number(time.dataset.at));
    if (time.textContent !== text) time.textContent = text;
  }
}

const WORDS = {
  timeout: "The server did not answer in time. Your text is still here; sending it again is safe.",
  connection_lost: "The connection was lost before the answer came. Please check, then try again.",
  network: "The server cannot be reached. Are you online?",
  closed: "The connection is closed. Connect again, then retry.",
  too_many_waiting: "Too many things are waiting to be sent.",
  bad_credentials: "Handle or e-mail address and password do not match.",
  unauthorized: "Please log in first.",
  bad_token: "Your session has ended. Please log in again.",
  token_expired: "Your session has ended. Please log in again.",
  forbidden: "You may not do that.",
  not_found: "It is not there any more.",
  stale: "It was changed elsewhere in the meantime. Your text is still here: save again to replace the newer one.",
  overloaded: "The server is very busy. Please try again in a moment.",
  unavailable: "The server cannot do that right now. Please try again in a moment.",
  internal: "Something went wrong on the server. Please try again.",
};
const FIELDS = { current: "The present password", new: "The new password", warning: "The warning", handle: "The handle", email: "The e-mail address", password: "The password", name: "The name", text: "The text", bio: "The profile text" };

/** An error in words for the person in front of the page. */
export function inWords(error) {
  const field = FIELDS[error.field];
  if (error.code === "bad_credentials" && field) return "That is not your password.";
  if (error.code === "conflict") return field ? `${field} is already taken.` : "That is already taken.";
  if (error.code === "invalid") return field ? `${field} ${error.message.replace(`${error.field}: `, "")}.` : `That was not accepted: ${error.message}.`;
  if (error.code === "limit_reached") return `That is as many as there may be: ${error.message}.`;
  if (error.code === "rate_limited") {
    const seconds = Math.ceil((error.retryAfterMs ?? 0) / 1000);
    return `That was a little too fast. Please try again ${seconds > 0 ? `in ${counted(seconds, "second")}` : "in a moment"}.`;
  }
  return WORDS[error.code] ?? `That did not work: ${error.message}.`;
}
