/**
 * Owns what a close number means. Works by ranges, so that an old client knows what to do with a new number.
 */

/** Numbers of the transport itself: a broken frame, a text that is not UTF-8, too large a message. Coming back would repeat it. */
const STOP = new Set([1002, 1003, 1007, 1008, 1009]);

/**
 * @param {number} code
 * @returns {"reconnect" | "reauthenticate" | "stop"}
 */
export function afterClose(code) {
  if (code >= 4400 && code <= 4499) return "reauthenticate";
  if ((code >= 4500 && code <= 4599) || STOP.has(code)) return "stop";
  return "reconnect";
}
