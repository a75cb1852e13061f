/**
 * Owns the line that tells somebody who is suspended so, before they write. Must never hide what they have written, nor decide what they may do.
 */
import { el } from "./dom.js";

/** Stands above whatever one writes into; empty for everybody else. */
export function suspendedLine(app, signal) {
  const line = el("p", { class: "notice", role: "status", hidden: true });
  const draw = () => {
    const { standing, until } = app.standing ?? {};
    line.hidden = standing !== "suspended";
    const end = until ? ` until ${new Date(until).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` : "";
    line.replaceChildren(`You are suspended${end}: you may read, and take back what you did, but not write. `, el("a", { href: "#/settings" }, "Why, and what you can do"));
  };
  app.on("standing", draw, { signal });
  draw();
  return line;
}
