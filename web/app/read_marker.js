/**
 * Owns how far one has read a feed: the line between what is new and what one knew, and telling the server how far one is, for the next device.
 */
import { el } from "./dom.js";

/** What is shown is read by then; said once for all that came meanwhile. */
const SETTLE_MS = 4_000;

/**
 * @param {{ signal: AbortSignal }} options
 * @returns {{ line: (posts: object[]) => { node: Node, before: string } | null, shown: (seq: number) => void }}
 */
export function readMarker(app, feed, { signal }) {
  const node = el("p", { class: "read-line", role: "separator", "aria-label": "You know what follows" }, "You know what follows");
  /** Where one was when this page was opened; undefined until that is known. */
  let from;
  let timer;
  let newest = 0;
  let told = 0;
  const known = () => app.me?.markers?.get(feed.name)?.seq ?? 0;
  const tell = () => {
    if (document.hidden || newest <= Math.max(told, known())) return;
    told = newest;
    app.client.setMarker(feed.name, newest).catch(() => { told = 0; }); // Said again with the next post.
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return {
    line(posts) {
      if (!app.me?.loaded) return null;
      from ??= known();
      const at = posts.findIndex(({ seq }) => seq <= from);
      // Nothing new, or nothing known: no line.
      return from === 0 || at <= 0 || posts.slice(0, at).every((post) => app.owns(post)) ? null : { node, before: posts[at].id };
    },
    shown(seq) {
      newest = Math.max(newest, seq);
      clearTimeout(timer);
      timer = setTimeout(tell, SETTLE_MS);
    },
  };
}
