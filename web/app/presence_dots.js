/**
 * Owns the dots that tell who is here: of the people one follows, and of nobody else.
 */
import { askStatus } from "./dom.js";
import { ago } from "./words.js";

/** Follows come in bursts; whom to watch is said once. */
const SETTLE_MS = 300;

export function presenceDots(app) {
  let timer;
  let watched = "";
  let hidden = false;
  const shown = (id) => {
    const status = app.client.moment.presence(id)?.status;
    return status === "offline" ? null : status;
  };
  askStatus(shown);
  const refresh = (ids) => {
    for (const id of ids) {
      for (const dot of document.querySelectorAll(`[data-person="${CSS.escape(id)}"]`)) {
        const status = shown(id);
        if (status) dot.dataset.status = status;
        else delete dot.dataset.status;
      }
    }
    app.emit("presence", ids);
  };
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const ids = [...(app.followed ?? [])].sort();
      // Whoever is hidden is told of nobody; shown again, they have to ask again.
      const hides = app.me?.settings?.presence === "hidden";
      if (hides !== hidden) watched = "";
      hidden = hides;
      if (app.client.state !== "connected" || ids.join() === watched) return;
      watched = ids.join();
      app.client.moment.watch(ids).catch(() => { watched = ""; }); // Said again with the next change.
    }, SETTLE_MS);
  };
  const begin = () => {
    watched = "";
    app.client.moment.on("presence", refresh);
  };
  app.on("person", begin);
  app.on("follows", watch);
  document.addEventListener("visibilitychange", () => show(app));
  begin();
}

/** A page nobody looks at shows that its person is not at it. */
function show(app) {
  if (!app.user || app.client.state !== "connected") return;
  app.client.setPresence(document.hidden ? "idle" : "online").catch(() => {}); // The next connection begins as online anyway.
}

/** "Online", "Away", "Last here 3 min ago"; empty where one is not told. */
export function presenceWords(presence) {
  if (!presence) return "";
  if (presence.status === "online") return "Online";
  if (presence.status === "idle") return "Away";
  if (!presence.last_seen) return "Offline";
  const when = ago(presence.last_seen);
  return when === "now" ? "Here a moment ago" : `Last here ${when}${/min|h$/.test(when) ? " ago" : ""}`;
}
