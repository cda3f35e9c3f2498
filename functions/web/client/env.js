// @ts-check
import { MemoryLocks, MemoryStorage, openStorage } from "./storage.js";
import { putByFetch, putByXhr } from "./transfer.js";

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since the epoch
 * @property {(f: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/**
 * The part of Web Locks that is used.
 * @typedef {{request: <T>(name: string, work: () => Promise<T>) => Promise<T>}} Locks
 */

/**
 * The part of a BroadcastChannel that is used.
 * @typedef {{postMessage: (message: any) => void, onmessage: ((event: {data: any}) => any) | null}} Channel
 */

/**
 * Everything that comes from outside. Tests replace it; the defaults are the browser's, or Node's.
 * @typedef {object} Environment
 * @property {(url: string, options: any) => Promise<any>} fetch
 * @property {(transfer: import("./transfer.js").Transfer) => Promise<number>} put sends a file to where it is stored
 * @property {new (url: string, protocols: string[]) => any} WebSocket
 * @property {Clock} clock
 * @property {import("./storage.js").Storage} storage
 * @property {Locks} locks
 * @property {Channel | null} channel to the other tabs of this browser; null if there are none
 * @property {() => number} random at least 0 and less than 1
 * @property {() => string} key a new client_message_id
 */

/** @returns {string} a random UUID; crypto.randomUUID is missing on pages served without TLS */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * The browser's locks. A browser that blocks the storage of a page refuses them with a SecurityError.
 * @param {any} locks navigator.locks
 * @returns {Locks}
 */
export function browserLocks(locks) {
  const memory = new MemoryLocks();
  return {
    async request(name, work) {
      let begun = false;
      try {
        return await locks.request(name, () => {
          begun = true;
          return work();
        });
      } catch (error) {
        if (begun || /** @type {any} */ (error)?.name !== "SecurityError") throw error;
        return memory.request(name, work);
      }
    },
  };
}

/** @returns {Channel | null} */
function openChannel() {
  try {
    // Node has the class too, but an open channel would keep its process alive.
    if (typeof window === "undefined") return null;
    return /** @type {Channel} */ (/** @type {unknown} */ (new BroadcastChannel("windi")));
  } catch {
    return null;
  }
}

/**
 * @param {Partial<Environment>} [given]
 * @returns {Environment}
 */
export function environment(given = {}) {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return {
    fetch: (url, options) => globalThis.fetch(url, options),
    put: typeof XMLHttpRequest === "undefined" ? putByFetch : putByXhr,
    WebSocket: /** @type {any} */ (globalThis).WebSocket,
    clock: {
      now: () => Date.now(),
      setTimeout: (f, ms) => globalThis.setTimeout(f, ms),
      clearTimeout: (timer) => globalThis.clearTimeout(timer),
    },
    storage: typeof indexedDB === "undefined" ? new MemoryStorage() : openStorage(),
    locks: locks ? browserLocks(locks) : new MemoryLocks(),
    channel: openChannel(),
    random: Math.random,
    key: uuid,
    ...given,
  };
}

/**
 * @param {Clock} clock
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function sleep(clock, ms) {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

/**
 * Exponential back-off with jitter: the delay before attempt `attempt` (0 is the first repetition). What the server
 * asked for in `retry_after` is a minimum.
 * @param {() => number} random
 * @param {number} attempt
 * @param {{base?: number, cap?: number, retryAfter?: number | null}} [options] milliseconds; `retryAfter` in seconds
 */
export function backoff(random, attempt, { base = 500, cap = 30_000, retryAfter = null } = {}) {
  const ceiling = Math.min(cap, base * 2 ** Math.min(attempt, 16));
  const delay = ceiling / 2 + (random() * ceiling) / 2;
  return retryAfter === null ? delay : Math.max(delay, retryAfter * 1000 + random() * 500);
}
