/**
 * Owns a TCP proxy on loopback that can cut its lines, for tests of coming back.
 */
import { connect, createServer } from "node:net";

/** @param {URL} target */
export async function startProxy(target) {
  const lines = new Set();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    lines.add(near);
    near.pipe(far).pipe(near);
    for (const end of [near, far]) {
      end.on("error", () => {}); // A cut line is what this is for.
      end.on("close", () => { near.destroy(); far.destroy(); lines.delete(near); });
    }
  });
  await new Promise((resolve, reject) => server.listen(0, "127.0.0.1", resolve).on("error", reject));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** RST on every line, as when a cable is pulled and a box in between forgets. */
    cut() { for (const line of lines) line.resetAndDestroy(); },
    stop() { this.cut(); server.close(); },
  };
}
