// @ts-check
import { backoff } from "./env.js";
import { WindiError, again, asWindiError } from "./errors.js";

/** @import {FileObject} from "./types.js" */

/**
 * `POST /files`: what is going to be uploaded.
 * @typedef {object} NewFile
 * @property {string} name
 * @property {string} content_type
 * @property {number} size in bytes
 * @property {number} [width] of a picture, which always has it
 * @property {number} [height]
 * @property {string} [preview] the picture made tiny, in base64
 */

/**
 * Where to bring it.
 * @typedef {{file: FileObject, upload: {method: string, url: string, headers: Record<string, string>}}} Announced
 * @typedef {{links: Array<{id: string, url: string, expires_at: string}>}} FoundLinks
 */

/**
 * @typedef {object} UploadOptions
 * @property {(share: number) => void} [progress] how much has been sent, from 0 to 1
 * @property {AbortSignal} [signal]
 */

/** The largest file. */
export const FILE_BYTES = 25 * 1024 * 1024;
/** The most files of one message. */
export const FILE_COUNT = 10;
/** A link that has less than this left is asked for anew. */
const MARGIN_MS = 30_000;
/** How long a link lives, whatever this device's clock says. */
const LIFE_MS = 5 * 60_000;
/** A file that cannot be seen is not asked for again for so long. */
const MISSING_MS = 5 * 60_000;
/** The most ids in one request. */
const IDS = 100;
const ATTEMPTS = 4;
/** Longer than this, nobody waits for an upload to go on, in seconds. */
const PATIENCE = 60;

/** Brings files to where they are stored, and knows where they are read. */
export class Files {
  /** @type {Map<string, {url: string, until: number}>} */
  #links = new Map();
  /** Files that are not there, or not for this person, and until when that is believed. @type {Map<string, number>} */
  #missing = new Map();
  /** Links under way. @type {Map<string, {promise: Promise<string>, settle: (url: string | WindiError) => void}>} */
  #asked = new Map();
  /** @type {Set<string>} */
  #wanted = new Set();
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("./env.js").Environment} env
   * @param {import("./session.js").Session} session
   */
  constructor(env, session) {
    this.env = env;
    this.session = session;
  }

  /**
   * Where a file can be read, for a while. All that is asked for in one go is one request.
   * @param {string} id
   * @param {{fresh?: boolean}} [options] `fresh`: the last link did not work
   * @returns {Promise<string>}
   */
  async link(id, { fresh = false } = {}) {
    const now = this.env.clock.now();
    const known = this.#links.get(id);
    if (known && !fresh && known.until > now) return known.url;
    if (!fresh && (this.#missing.get(id) ?? 0) > now) throw new WindiError("file_not_found");
    return this.#ask(id);
  }

  /** @param {string} id */
  #ask(id) {
    const asked = this.#asked.get(id);
    if (asked) return asked.promise;
    /** @type {(url: string | WindiError) => void} */
    let settle = () => {};
    const promise = new Promise((/** @type {(url: string) => void} */ resolve, reject) => {
      settle = (url) => (typeof url === "string" ? resolve(url) : reject(url));
    });
    this.#asked.set(id, { promise, settle });
    this.#wanted.add(id);
    this.#timer ??= this.env.clock.setTimeout(() => this.#flush(), 0);
    return promise;
  }

  #flush() {
    this.#timer = null;
    const ids = [...this.#wanted];
    this.#wanted.clear();
    for (let from = 0; from < ids.length; from += IDS) void this.#fetch(ids.slice(from, from + IDS));
  }

  /** @param {string[]} ids */
  async #fetch(ids) {
    const asked = this.env.clock.now();
    try {
      const query = { ids: ids.join(",") };
      /** @type {FoundLinks} */
      const { links } = await again(() => this.session.call("GET", "/files", { query }));
      for (const link of links) this.#found(link, asked);
      for (const id of ids) {
        if (!this.#asked.has(id)) continue;
        this.#links.delete(id);
        this.#missing.set(id, this.env.clock.now() + MISSING_MS);
        this.#settle(id, new WindiError("file_not_found"));
      }
    } catch (error) {
      for (const id of ids) this.#settle(id, asWindiError(error));
    }
  }

  /** @param {FoundLinks["links"][0]} link @param {number} asked when it was asked for */
  #found({ id, url, expires_at }, asked) {
    const absolute = this.#absolute(url);
    const life = Math.min(Date.parse(expires_at) - asked, LIFE_MS);
    this.#links.set(id, { url: absolute, until: asked + life - MARGIN_MS });
    this.#missing.delete(id);
    this.#settle(id, absolute);
  }

  /** @param {string} id @param {string | WindiError} url */
  #settle(id, url) {
    this.#asked.get(id)?.settle(url);
    this.#asked.delete(id);
  }

  /** The store may be this server. @param {string} url */
  #absolute(url) {
    return new URL(url, `${this.session.http.base}/`).href;
  }

  /**
   * @param {Blob} source @param {NewFile} about @param {UploadOptions} [options]
   * @returns {Promise<FileObject>} what can be sent with a message
   */
  async upload(source, about, { progress = () => {}, signal } = {}) {
    /** @type {Announced} */
    const { file, upload } = await this.#patiently(() => this.session.call("POST", "/files", { body: about }), signal);
    const put = () => this.#put(upload, source, progress, signal);
    const done = () => this.session.call("POST", `/files/${file.id}/done`);
    await this.#patiently(put, signal);
    try {
      return await this.#patiently(done, signal);
    } catch (error) {
      if (asWindiError(error).code !== "not_uploaded") throw error;
    }
    // The store has said that it had the file, and has not.
    await this.#patiently(put, signal);
    return this.#patiently(done, signal);
  }

  /**
   * @param {Announced["upload"]} upload @param {Blob} body @param {(share: number) => void} progress
   * @param {AbortSignal} [signal]
   */
  async #put({ method, url, headers }, body, progress, signal) {
    const transfer = { method, url: this.#absolute(url), headers, body, progress };
    const status = await this.env.put(signal ? { ...transfer, signal } : transfer);
    // 412: an attempt whose answer was lost has brought it there.
    if ((status >= 200 && status < 300) || status === 412) return;
    const busy = status >= 500 || status === 408 || status === 429;
    throw new WindiError(busy ? "unavailable" : "file_refused", { status });
  }

  /**
   * Repeats what may succeed later. Everything here can be repeated: a file that was announced twice is there once.
   * @template T
   * @param {() => Promise<T>} work
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #patiently(work, signal) {
    for (let attempt = 0; ; attempt++) {
      if (signal?.aborted) throw new WindiError("aborted");
      try {
        const result = await work();
        if (signal?.aborted) throw new WindiError("aborted");
        return result;
      } catch (cause) {
        const error = asWindiError(cause);
        const hopeless = !error.temporary || (error.retryAfter ?? 0) > PATIENCE || attempt + 1 >= ATTEMPTS;
        if (hopeless) throw error;
        await this.#sleep(backoff(this.env.random, attempt, { retryAfter: error.retryAfter }), signal);
      }
    }
  }

  /** @param {number} ms @param {AbortSignal} [signal] ends it sooner */
  #sleep(ms, signal) {
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      const wake = () => {
        this.env.clock.clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = this.env.clock.setTimeout(wake, ms);
      signal?.addEventListener("abort", wake);
    });
  }

  stop() {
    this.env.clock.clearTimeout(this.#timer);
    this.#wanted.clear();
    for (const id of [...this.#asked.keys()]) this.#settle(id, new WindiError("no_session"));
  }
}
