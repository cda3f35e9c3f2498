// @ts-check
import { keepMine, reacted } from "./reactions.js";

/** @import {Message} from "./types.js" */
/** @import {Reacted} from "./reactions.js" */

/**
 * A contiguous stretch of a chat's messages, of bounded length. Pages are added at either end, and what is too much is
 * dropped at the other.
 */
export class Window {
  /** @type {Message[]} in order, without holes */
  messages = [];
  /** Whether there is anything to show, be it an empty chat. */
  loaded = false;
  /** Whether the stretch reaches to the chat's end, where new messages are added. */
  tail = false;
  /** Messages past the end, whose predecessors are not here yet. @type {Map<number, Message>} */
  #ahead = new Map();
  #loads = 0;
  /** What was changed while a page was on its way: the page may be older. @type {Map<number, Message>} */
  #meanwhile = new Map();
  /** The same for reactions, in order. @type {Reacted[]} */
  #reacted = [];

  /** @param {number} limit the longest stretch kept */
  constructor(limit) {
    this.limit = limit;
  }

  /** The number of the first message. */
  get first() {
    return this.messages[0]?.id ?? 1;
  }

  /** The number of the last message; 0 if there are none. */
  get last() {
    return this.messages[this.messages.length - 1]?.id ?? 0;
  }

  /** @param {number} id @returns {Message | undefined} */
  get(id) {
    return this.messages[id - this.first];
  }

  /**
   * Loads a page. Changes that arrive while it is on its way are not lost, although the page may be older than they.
   * @template Page
   * @param {() => Promise<Page>} load
   * @param {(page: Page) => void} place
   */
  async loading(load, place) {
    this.#loads++;
    try {
      place(await load());
    } finally {
      if (--this.#loads === 0) {
        this.#meanwhile.clear();
        this.#reacted = [];
      }
    }
  }

  /**
   * Takes a message in its newest state, from wherever.
   * @param {Message} message
   * @returns {boolean} whether it shows
   */
  store(message) {
    if (this.#loads > 0) keepNewest(this.#meanwhile, message);
    if (!this.loaded || message.id < this.first) return false;
    if (message.id <= this.last) {
      const index = message.id - this.first;
      const held = /** @type {Message} */ (this.messages[index]);
      if (held.revision > message.revision) return false;
      this.messages[index] = keepMine(message, held);
      return true;
    }
    if (!this.tail) return false;
    keepNewest(this.#ahead, message);
    return this.#absorb();
  }

  /** Takes a change of the reactions to a message, which may not be here. @param {Reacted} change */
  react(change) {
    if (this.#loads > 0) this.#reacted.push(change);
    const id = change.message_id;
    const held = this.get(id);
    if (held && held.revision < change.revision) this.messages[id - this.first] = reacted(held, change);
    for (const map of [this.#ahead, this.#meanwhile]) {
      const message = map.get(id);
      if (message && message.revision < change.revision) map.set(id, reacted(message, change));
    }
  }

  /** @param {Message[]} page @param {boolean} tail whether the page reaches to the chat's end */
  replace(page, tail) {
    this.messages = page.map((message) => this.#newest(message));
    this.loaded = true;
    this.#setTail(tail);
  }

  /** @param {Message[]} page the page that ends just before the first message @returns {boolean} whether it fitted */
  prepend(page) {
    if (page.length === 0 || page[page.length - 1]?.id !== this.first - 1) return false;
    this.messages.unshift(...page.map((message) => this.#newest(message)));
    if (this.messages.length > this.limit) {
      this.messages.length = this.limit;
      this.tail = false;
      this.#ahead.clear();
    }
    return true;
  }

  /**
   * @param {Message[]} page the page that begins just after the last message
   * @param {boolean} tail
   * @returns {boolean}
   */
  append(page, tail) {
    if (this.tail || (page.length > 0 && page[0]?.id !== this.last + 1)) return false;
    this.messages.push(...page.map((message) => this.#newest(message)));
    this.#setTail(tail);
    this.#trimStart();
    return true;
  }

  /** Forgets everything but what is under way. */
  reset() {
    this.messages = [];
    this.loaded = this.tail = false;
    this.#ahead.clear();
  }

  /** Keeps the newest few, for a chat that nobody looks at. @param {number} count */
  shrink(count) {
    if (!this.tail) this.reset();
    else if (this.messages.length > count) this.messages.splice(0, this.messages.length - count);
  }

  /** @param {boolean} tail */
  #setTail(tail) {
    this.tail = tail;
    this.#ahead.clear();
    if (!tail) return;
    for (const message of this.#meanwhile.values()) if (message.id > this.last) keepNewest(this.#ahead, message);
    this.#absorb();
  }

  #absorb() {
    const before = this.last;
    for (;;) {
      const next = this.#ahead.get(this.last + 1);
      if (!next) break;
      this.#ahead.delete(next.id);
      this.messages.push(next);
    }
    if (this.last === before) return false;
    this.#trimStart();
    return true;
  }

  #trimStart() {
    // In steps, so that a reader further up is not disturbed by each new message.
    if (this.messages.length > this.limit + 50) this.messages.splice(0, this.messages.length - this.limit);
  }

  /** @param {Message} message */
  #newest(message) {
    const other = this.#meanwhile.get(message.id);
    let newest = other && other.revision > message.revision ? keepMine(other, message) : message;
    for (const change of this.#reacted) {
      if (change.message_id === newest.id && change.revision > newest.revision) newest = reacted(newest, change);
    }
    return newest;
  }
}

/** @param {Map<number, Message>} map @param {Message} message */
function keepNewest(map, message) {
  const held = map.get(message.id);
  if (!held || held.revision <= message.revision) map.set(message.id, message);
}
