// @ts-check

/** @import {Message} from "./types.js" */

/**
 * How many of the messages after a cursor have some property. Those that this client has seen are known one by one; of
 * the others, only the server's count is.
 */
export class Tally {
  /** @type {Set<number>} */
  #known = new Set();
  /** Those counted by the server and not seen: how many, among which messages, and at which revision of the chat. */
  #unseen = { count: 0, upTo: 0, revision: 0 };

  /** Takes a message in its newest state. @param {Message} message @param {boolean} has */
  see({ id, revision }, has) {
    if (!has) this.#known.delete(id);
    else if (!this.#known.has(id)) {
      this.#known.add(id);
      const { count, upTo, revision: counted } = this.#unseen;
      if (count > 0 && id <= upTo && revision <= counted) this.#unseen.count--;
    }
  }

  /**
   * The server's count.
   * @param {number} total @param {number} cursor after which it counted @param {number} upTo the newest message then
   * @param {number} revision of the chat then
   */
  counted(total, cursor, upTo, revision) {
    let known = 0;
    for (const id of this.#known) {
      if (id <= cursor) this.#known.delete(id);
      else if (id <= upTo) known++;
    }
    this.#unseen = { count: Math.max(0, total - known), upTo, revision };
  }

  /** @param {number} cursor */
  after(cursor) {
    let count = cursor < this.#unseen.upTo ? this.#unseen.count : 0;
    for (const id of this.#known) if (id > cursor) count++;
    return count;
  }
}
