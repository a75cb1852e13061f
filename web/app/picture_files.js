/**
 * Owns what a picture file has to be before it is sent. Must never send more than the server takes: what is too large is made smaller here.
 */
import { PICTURE_BYTES, PICTURE_TYPES } from "/client/index.js";

/** For `accept`. */
export const PICTURES = PICTURE_TYPES.join(",");
/** The server keeps no more pixels of it anyway. */
const MOST_PIXELS = { image: 4_096, avatar: 1_024 };
const QUALITY = 0.9;

/** The file as it is, or drawn smaller where it is too large; one that moves would stop moving, so it is left to the server to refuse it. */
export async function fitting(file, kind) {
  if (file.size <= PICTURE_BYTES[kind] || file.type === "image/gif") return file;
  try {
    const whole = await createImageBitmap(file);
    const scale = Math.min(1, MOST_PIXELS[kind] / Math.max(whole.width, whole.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(whole.width * scale));
    canvas.height = Math.max(1, Math.round(whole.height * scale));
    canvas.getContext("2d").drawImage(whole, 0, 0, canvas.width, canvas.height);
    whole.close();
    const smaller = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
    return smaller ?? file;
  } catch {
    return file; // Not a picture that can be drawn: the server says what is wrong with it.
  }
}
