// @ts-check
import { backoff, sleep } from "./env.js";
import { asWindiError } from "./errors.js";

/** Reports how far this person has read, until the server has it. Several steps become one. */
export class Reads {
  /** @type {Map<string, number>} */
  #wanted = new Map();
  /** @type {Set<string>} */
  #running = new Set();
  #stopped = false;

  /**
   * @param {import("./env.js").Environment} env
   * @param {import("./session.js").Session} session
   * @param {import("./connection.js").Connection} connection
   */
  constructor(env, session, connection) {
    this.env = env;
    this.session = session;
    this.connection = connection;
  }

  stop() {
    this.#stopped = true;
  }

  /** @param {string} chatId @param {number} messageId */
  upTo(chatId, messageId) {
    if (messageId <= (this.#wanted.get(chatId) ?? 0)) return;
    this.#wanted.set(chatId, messageId);
    void this.#report(chatId);
  }

  /** The numbers of a chat's messages have begun anew. @param {string} chatId */
  forget(chatId) {
    this.#wanted.delete(chatId);
  }

  /** @param {string} chatId */
  async #report(chatId) {
    if (this.#running.has(chatId)) return;
    this.#running.add(chatId);
    let reported = 0;
    for (let attempt = 0; !this.#stopped;) {
      const id = this.#wanted.get(chatId) ?? 0;
      if (id <= reported) break;
      try {
        if (this.connection.online) await this.connection.request("markRead", { chat_id: chatId, message_id: id });
        else await this.session.call("POST", `/messages/${chatId}/${id}/read`);
        reported = id;
        attempt = 0;
      } catch (cause) {
        const error = asWindiError(cause);
        if (!error.temporary) break;
        await sleep(this.env.clock, backoff(this.env.random, attempt++, { retryAfter: error.retryAfter }));
      }
    }
    this.#running.delete(chatId);
  }
}
