// @ts-check

/** @import {Chat} from "./chat.js" */
/** @import {HistoryPage} from "./types.js" */

const PAGE = 50;

/** Loads pages of messages into the windows of chats. */
export class History {
  /** Loads under way, by chat and direction: asking twice is asking once. @type {Map<string, Promise<void>>} */
  #loads = new Map();
  /**
   * Goes up when a window is replaced: a page asked for before that does not belong any more.
   * @type {WeakMap<Chat, number>}
   */
  #generations = new WeakMap();

  /**
   * @param {import("./session.js").Session} session
   * @param {(id: string) => void} changed
   */
  constructor(session, changed) {
    this.session = session;
    this.changed = changed;
  }

  /** The newest page. @param {Chat} chat */
  latest(chat) {
    return this.#once(chat, "latest", { before: "latest" }, (page) => chat.window.replace(page.messages, true), true);
  }

  /** The page with a message in its middle. @param {Chat} chat @param {number} id */
  around(chat, id) {
    const after = Math.max(0, id - 1 - PAGE / 2);
    const place = (/** @type {HistoryPage} */ page) => chat.window.replace(page.messages, !page.has_more);
    return this.#once(chat, `around ${id}`, { after }, place, true);
  }

  /** The page before the first message held. @param {Chat} chat */
  async older(chat) {
    if (!chat.window.loaded || chat.window.first <= 1) return;
    await this.#once(chat, "older", { before: chat.window.first }, (page) => chat.window.prepend(page.messages), false);
  }

  /** The page after the last message held. @param {Chat} chat */
  async newer(chat) {
    if (!chat.window.loaded || chat.window.tail) return;
    const place = (/** @type {HistoryPage} */ page) => chat.window.append(page.messages, !page.has_more);
    await this.#once(chat, "newer", { after: chat.window.last }, place, false);
  }

  /**
   * @param {Chat} chat @param {string} what @param {Record<string, string | number>} query
   * @param {(page: HistoryPage) => void} place @param {boolean} replaces
   */
  #once(chat, what, query, place, replaces) {
    const name = `${chat.id} ${what}`;
    const running = this.#loads.get(name);
    if (running) return running;
    const generation = (this.#generations.get(chat) ?? 0) + (replaces ? 1 : 0);
    this.#generations.set(chat, generation);
    const load = chat.window
      .loading(
        () => this.session.call("GET", `/messages/history/${chat.id}`, { query: { ...query, limit: PAGE } }),
        (page) => {
          chat.counts(page.messages);
          if (this.#generations.get(chat) === generation) place(page);
        },
      )
      .finally(() => {
        this.#loads.delete(name);
        this.changed(chat.id);
      });
    this.#loads.set(name, load);
    return load;
  }
}
