// @ts-check
import { eraseAll } from "./storage.js";

/** Texts that have been begun, by chat. They survive a reload. */
export class Drafts {
  /** @type {Map<string, string>} */
  #texts = new Map();
  /** @type {Set<string>} */
  #dirty = new Set();
  /** @type {Promise<void> | null} */
  #writing = null;
  #closed = false;

  /**
   * @param {import("./storage.js").Storage} storage
   * @param {string} me
   */
  constructor(storage, me) {
    this.storage = storage;
    this.prefix = `draft/${me}/`;
  }

  async restore() {
    for (const [key, text] of await this.storage.entries(this.prefix))
      this.#texts.set(key.slice(this.prefix.length), text);
  }

  /** @param {string} chatId */
  get(chatId) {
    return this.#texts.get(chatId) ?? "";
  }

  /** @param {string} chatId @param {string} text */
  set(chatId, text) {
    if (this.#closed || text === this.get(chatId)) return;
    if (text) this.#texts.set(chatId, text);
    else this.#texts.delete(chatId);
    this.#dirty.add(chatId);
    this.#flush();
  }

  #flush() {
    if (this.#writing || this.#closed) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      if (this.#dirty.size > 0) this.#flush();
    });
  }

  async #write() {
    for (const chatId of this.#dirty) {
      if (this.#closed) return;
      this.#dirty.delete(chatId);
      const text = this.#texts.get(chatId);
      const done =
        text === undefined ? this.storage.delete(this.prefix + chatId) : this.storage.set(this.prefix + chatId, text);
      await done.catch(() => {});
    }
  }

  /** Erases everything, also what is stored. Nothing is taken from then on. */
  async clear() {
    this.#closed = true;
    const known = [...this.#texts.keys(), ...this.#dirty].map((chatId) => this.prefix + chatId);
    this.#texts.clear();
    await this.#writing;
    await eraseAll(this.storage, this.prefix, known);
  }
}
