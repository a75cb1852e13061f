/**
 * Owns the sign that tells whether the page is live.
 */
import { say } from "./announce.js";
import { el } from "./dom.js";

/** A line that is back so soon is not worth speaking of. */
const SAY_AFTER_MS = 1_500;

export function connectionSign(app, place) {
  const text = el("span", {});
  const button = el("button", { type: "button", class: "small", hidden: true, onclick: () => app.client.retryNow() });
  const sign = el("div", { class: "sign" }, el("span", { class: "dot", "aria-hidden": "true" }), text, button);
  let spoken = null;
  let timer;
  place.append(sign);

  const draw = () => {
    const { state } = app.connection;
    sign.dataset.state = state;
    sign.title = app.connection.reason || "";
    text.textContent = wording(app.connection);
    button.hidden = state === "connected" || !(state === "disconnected" || app.connection.retryAt);
    button.textContent = state === "disconnected" ? "Connect" : "Try now";
  };
  const changed = () => {
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const live = app.connection.state === "connected";
      if (spoken !== null && spoken !== live) say(live ? "Connected again" : "The connection is lost; trying to come back");
      spoken = live;
    }, SAY_AFTER_MS);
  };
  app.on("connection", changed);
  addEventListener("online", draw);
  addEventListener("offline", draw);
  changed();
}

function wording({ state, reason, code }) {
  if (state === "connected") return "Live";
  if (state === "connecting") return !navigator.onLine ? "You are offline" : code === 0 ? "Connecting…" : "Reconnecting…";
  return code >= 4500 || code < 4000 ? `Stopped: ${reason || "the server ended the connection"}` : "Not connected";
}
