// @ts-check
export { Client } from "./client.js";
export { Chat } from "./chat.js";
export { browserLocks } from "./env.js";
export { FILE_BYTES, FILE_COUNT } from "./files.js";
export { Window } from "./window.js";
export { WindiError } from "./errors.js";
export { MemoryLocks, MemoryStorage, openStorage } from "./storage.js";
export * from "./types.js";
