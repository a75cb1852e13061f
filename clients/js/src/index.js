/**
 * What the library offers. Owns nothing itself.
 *
 *   import { Client } from "tidings-client";
 *   const client = new Client({ url: "https://tidings.example", getToken });
 *   const home = client.feed("home");
 *   home.on("change", () => render(home.posts));
 *   client.connect();
 */
export { Client } from "./client.js";
export { Feed } from "./feed.js";
export { Entities } from "./entities.js";
export { matchesFilter } from "./filters.js";
export { Moment } from "./moment.js";
export { Numbers } from "./numbers.js";
export { PICTURE_BYTES, PICTURE_TYPES } from "./pictures.js";
export { References } from "./references.js";
export { Rest } from "./rest.js";
export { TidingsError } from "./error.js";
export { uuidv7 } from "./ids.js";
export { afterClose } from "./close.js";
export { backoffMs } from "./backoff.js";
