/**
 * Owns the way of a picture to the server: a ticket over the socket, then its bytes by HTTP. Must never send a log-in along with the bytes:
 * the ticket's address is the permission.
 */
import { TidingsError } from "./error.js";
import { uuidv7 } from "./ids.js";

/** What the server takes, and how large (PROTOCOL.md §10). */
export const PICTURE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
export const PICTURE_BYTES = { image: 8 * 1024 * 1024, avatar: 2 * 1024 * 1024 };
/** How often it is tried while the server says "later". */
const TRIES = 4;
const LATER_MS = 1_000;

/**
 * @param {{ ask: (params: object, options: object) => Promise<any>, base: string }} by how a ticket is asked for, and where the server is
 * @param {Blob} picture
 * @param {{ kind?: "image" | "avatar", id?: string, onProgress?: (part: number) => void, signal?: AbortSignal }} [options] `onProgress` hears parts of 1
 * @returns {Promise<import("./protocol.js").Media>}
 */
export async function sendPicture({ ask, base }, picture, { kind = "image", id = uuidv7(), onProgress = () => {}, signal } = {}) {
  if (!PICTURE_TYPES.includes(picture.type)) throw new TidingsError({ code: "invalid", field: "type", message: "type: is none of PNG, JPEG, WebP and GIF" });
  if (picture.size > PICTURE_BYTES[kind]) throw new TidingsError({ code: "limit_reached", field: "bytes", message: `${PICTURE_BYTES[kind] / 1024 / 1024} MiB are the most for a picture` });
  for (let tried = 1; ; tried += 1) {
    try {
      const ticket = await ask({ id, kind, type: picture.type, bytes: picture.size }, { signal });
      if (ticket.media) return ticket.media;
      return await put(new URL(ticket.upload, base), picture, onProgress, signal);
    } catch (error) {
      const again = error.retryable || error.code === "token_expired";
      if (!again || tried >= TRIES || signal?.aborted) throw error;
      await rest(error.retryAfterMs ?? LATER_MS * tried, signal);
    }
  }
}

/** `fetch` says nothing about how far an upload is, so browsers use their older way. */
function put(address, picture, onProgress, signal) {
  return typeof XMLHttpRequest === "undefined" ? fetched(address, picture, signal) : watched(address, picture, onProgress, signal);
}

async function fetched(address, picture, signal) {
  let answer;
  try {
    const response = await fetch(address, { method: "PUT", body: picture, signal, credentials: "omit" });
    answer = { status: response.status, text: await response.text(), retryAfter: response.headers.get("retry-after") };
  } catch {
    throw signal?.aborted ? TidingsError.aborted() : unreachable();
  }
  return mediaOf(answer);
}

function watched(address, picture, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const end = (settle, value) => {
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    request.open("PUT", address);
    request.upload.onprogress = ({ loaded, total }) => { if (total > 0) onProgress(loaded / total); };
    request.onload = () => {
      try {
        end(resolve, mediaOf({ status: request.status, text: request.responseText, retryAfter: request.getResponseHeader("retry-after") }));
      } catch (error) {
        end(reject, error);
      }
    };
    request.onerror = () => end(reject, unreachable());
    request.onabort = () => end(reject, TidingsError.aborted());
    signal?.addEventListener("abort", stop, { once: true });
    request.send(picture);
  });
}

function mediaOf({ status, text, retryAfter }) {
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // Something between here and the server answered in its place: the status has to do.
  }
  if (status >= 200 && status < 300 && answer?.media) return answer.media;
  if (answer?.error) throw TidingsError.fromWire(answer.error);
  const later = status === 429 || status >= 500;
  const seconds = Number(retryAfter);
  throw new TidingsError({
    code: later ? "unavailable" : status === 413 ? "limit_reached" : "invalid", retryable: later,
    message: `the server answered with status ${status}`, retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  });
}

const unreachable = () => new TidingsError({ code: "network", message: "the server cannot be reached", retryable: true });

function rest(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(TidingsError.aborted()); }, { once: true });
  });
}
