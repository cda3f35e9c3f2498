// @ts-check

/** @import {Account, AccountChange} from "./types.js" */

/** What belongs to this person and not to a chat: their account, and whom they have blocked. */
export class Own {
  /** @type {Set<string>} */
  #blocked = new Set();

  /**
   * @param {import("./session.js").Session} session
   * @param {import("./calls.js").Calls} calls
   * @param {Account} account
   * @param {() => void} changed
   */
  constructor(session, calls, account, changed) {
    this.session = session;
    this.calls = calls;
    this.account = account;
    this.changed = changed;
  }

  /** Another device may have changed it. A failure leaves what is known: the next socket asks again. */
  async read() {
    try {
      const people = await this.calls.blocked();
      this.#blocked = new Set(people.map(({ id }) => id));
      await this.#take(await this.calls.account());
    } catch {
      return;
    }
  }

  /** @param {AccountChange} change */
  async change(change) {
    await this.#take(await this.calls.changeAccount(change));
  }

  /** @param {string} code that was mailed to a new address */
  async confirmEmail(code) {
    await this.#take(await this.calls.confirmEmail(code));
  }

  /** @param {string} userId */
  isBlocked(userId) {
    return this.#blocked.has(userId);
  }

  /** @param {string} userId @param {boolean} blocked */
  async block(userId, blocked) {
    await this.calls.block(userId, blocked);
    if (blocked) this.#blocked.add(userId);
    else this.#blocked.delete(userId);
    this.changed();
  }

  /** @param {Account} account */
  async #take(account) {
    this.account = account;
    await this.session.keep(account);
    this.changed();
  }
}
