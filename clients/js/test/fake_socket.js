/**
 * Owns a WebSocket without a network, for tests that play the server by hand.
 */
export class FakeSocket {
  /** All that were opened, oldest first. */
  static opened = [];
  static get last() { return FakeSocket.opened.at(-1); }

  readyState = 0;
  sent = [];

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    FakeSocket.opened.push(this);
  }

  send(text) { this.sent.push(JSON.parse(text)); }
  close(code) {
    this.readyState = 3;
    this.closedWith = code;
  }

  /** What the server does. */
  accepts() {
    this.readyState = 1;
    this.onopen({});
  }
  says(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
  ends(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose({ code, reason });
  }
  /** The last request of a method. */
  asked(method) { return this.sent.findLast((frame) => frame.method === method); }
  answers(method, result) { this.says({ id: this.asked(method).id, result }); }
  refuses(method, code, more = {}) { this.says({ id: this.asked(method).id, error: { code, message: code, retry: false, ...more } }); }
  welcomes(more = {}) {
    const feeds = (this.asked("hello").params.feeds ?? []).map((feed) => emptyFeed(feed));
    this.answers("hello", {
      session: "s", user: null, cursor: "k3f9-10", resumed: false, heartbeat_ms: 25_000, feeds,
      limits: { requests_in_flight: 64, post_chars: 5000, comment_chars: 2000, comment_depth: 8 }, ...more,
    });
  }
}

export const emptyFeed = (feed, more = {}) => ({ status: "snapshot", feed, seq: 10, posts: [], next: null, ...more });

/** Lets promises that are settled run on. */
export async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

export const ann = { id: "a", rev: 1, handle: "ann", name: "Ann" };
export const postOf = (id, seq, rev = seq, more = {}) => ({ id, seq, rev, author: ann, text: `${id}@${rev}`, created_at: seq, ...more });
