// @ts-check

/** @import {Message} from "./types.js" */

/**
 * How many of the messages after a cursor have some property. Those that this client has seen are known one by one; of
 * the others, only the server's count is.
 */
export class Tally {
  /** The newest state seen of each message. @type {Map<number, {revision: number, has: boolean}>} */
  #seen = new Map();
  /** Those counted by the server and not seen: how many, among which messages, and at which revision of the chat. */
  #unseen = { count: 0, upTo: 0, revision: 0 };

  /** @param {Message} message in any state @param {boolean} has */
  see({ id, revision }, has) {
    const known = this.#seen.get(id);
    if (known && known.revision > revision) return;
    this.#seen.set(id, { revision, has });
    const { count, upTo, revision: counted } = this.#unseen;
    if (!known && has && count > 0 && id <= upTo && revision <= counted) this.#unseen.count--;
  }

  /**
   * The server's count.
   * @param {number} total @param {number} cursor after which it counted @param {number} upTo the newest message then
   * @param {number} revision of the chat then
   */
  counted(total, cursor, upTo, revision) {
    let known = 0;
    for (const [id, { has }] of this.#seen) {
      if (id <= cursor) this.#seen.delete(id);
      else if (has && id <= upTo) known++;
    }
    this.#unseen = { count: Math.max(0, total - known), upTo, revision };
  }

  /** @param {number} cursor */
  after(cursor) {
    let count = cursor < this.#unseen.upTo ? this.#unseen.count : 0;
    for (const [id, { has }] of this.#seen) if (has && id > cursor) count++;
    return count;
  }
}
