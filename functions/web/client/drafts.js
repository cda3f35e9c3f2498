// @ts-check

/** Texts that have been begun, by chat. They survive a reload. */
export class Drafts {
  /** @type {Map<string, string>} */
  #texts = new Map();
  /** @type {Set<string>} */
  #dirty = new Set();
  #writing = false;

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
    if (text === this.get(chatId)) return;
    if (text) this.#texts.set(chatId, text);
    else this.#texts.delete(chatId);
    this.#dirty.add(chatId);
    void this.#write();
  }

  async #write() {
    if (this.#writing) return;
    this.#writing = true;
    for (const chatId of this.#dirty) {
      this.#dirty.delete(chatId);
      const text = this.#texts.get(chatId);
      const done =
        text === undefined ? this.storage.delete(this.prefix + chatId) : this.storage.set(this.prefix + chatId, text);
      await done.catch(() => {});
    }
    this.#writing = false;
  }

  /** Erases everything, also what is stored. */
  async clear() {
    this.#texts.clear();
    for (const [key] of await this.storage.entries(this.prefix)) await this.storage.delete(key);
  }
}
