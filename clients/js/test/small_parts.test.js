/** Back-off, ids, errors and REST, each by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rest, TidingsError, backoffMs, matchesFilter, uuidv7 } from "../src/index.js";

test("waits are spread from 0 to a ceiling that doubles from 500 ms to 20 s", () => {
  for (const [attempt, ceiling] of [[0, 500], [1, 1000], [2, 2000], [5, 16_000], [6, 20_000], [60, 20_000], [100_000, 20_000]]) {
    assert.equal(backoffMs(attempt, () => 0), 0);
    assert.equal(backoffMs(attempt, () => 1), ceiling);
    assert.equal(backoffMs(attempt, () => 0.5), ceiling / 2);
  }
});

test("ids are UUIDs of version 7, carry their time, and differ", () => {
  const id = uuidv7(Date.UTC(2026, 0, 1));
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(parseInt(id.replaceAll("-", "").slice(0, 12), 16), Date.UTC(2026, 0, 1));
  assert.equal(new Set(Array.from({ length: 10_000 }, () => uuidv7(5))).size, 10_000);
});

test("REST: what is sent, what comes back, and how refusals and broken lines read", async () => {
  const calls = [];
  const answering = (status, body, headers) => new Rest({
    url: "https://tidings.example",
    fetch: async (url, init) => { calls.push([String(url), JSON.parse(init.body)]); return new Response(body, { status, headers }); },
  });
  assert.deepEqual(await answering(200, '{"access_token":"x"}').refresh("r"), { access_token: "x" });
  assert.equal(await answering(204, null).logout("r"), undefined);
  await answering(201, "{}").signUp({ handle: "ann", email: "e", password: "p" });
  assert.deepEqual(calls, [
    ["https://tidings.example/api/v1/auth/refresh", { refresh_token: "r" }],
    ["https://tidings.example/api/v1/auth/logout", { refresh_token: "r" }],
    ["https://tidings.example/api/v1/users", { handle: "ann", email: "e", password: "p" }],
  ]);
  const taken = '{"error":{"code":"conflict","message":"taken","retry":false,"field":"handle"}}';
  await assert.rejects(answering(409, taken).login({}), { name: "TidingsError", code: "conflict", field: "handle", retryable: false });
  await assert.rejects(answering(502, "<html>").login({}), { code: "unavailable", retryable: true });
  await assert.rejects(answering(429, "", { "retry-after": "7" }).login({}), { code: "rate_limited", retryAfterMs: 7000 });
  const cut = new Rest({ url: "https://tidings.example", fetch: async () => { throw new TypeError("fetch failed"); } });
  await assert.rejects(cut.login({}), { code: "network", retryable: true });
  await assert.rejects(cut.login({}, { signal: AbortSignal.abort() }), { code: "aborted" });
});

test("an error of the wire keeps all it says", () => {
  const error = TidingsError.fromWire({ code: "rate_limited", message: "m", retry: true, retry_after_ms: 5, field: "f" });
  assert.deepEqual({ ...error }, { name: "TidingsError", code: "rate_limited", retryable: true, retryAfterMs: 5, field: "f" });
});

test("a filter finds its phrase whatever its case, and whole words only where it should", () => {
  const found = (phrase, text, whole_word) => matchesFilter({ phrase, whole_word }, text);
  assert.ok(found("STRASSE", "die Straße"));
  assert.ok(found("c\u200bat", "ＣＡＴ"));
  assert.ok(found("cat", "concatenate"));
  assert.ok(!found("cat", "concatenate", true));
  assert.ok(found("cat", "concatenate the cat.", true));
  assert.ok(!found("cat", "cat_food", true));
  assert.ok(found("two  words", "two\nwords"));
  assert.ok(!found(" \u200b", "anything"));
});
