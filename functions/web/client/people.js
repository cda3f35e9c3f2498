// @ts-check

/** @import {Person} from "./types.js" */

/** Names and pictures by id, including those of people who have left. */
export class People {
  /** @type {Map<string, Person | null>} */
  #known = new Map();
  /** @type {Set<string>} */
  #wanted = new Set();
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("./env.js").Environment} env
   * @param {import("./session.js").Session} session
   * @param {() => void} changed
   */
  constructor(env, session, changed) {
    this.env = env;
    this.session = session;
    this.changed = changed;
  }

  /** @param {Iterable<Person>} people */
  learn(people) {
    for (const { id, name, username, avatar_id } of people) {
      this.#known.set(id, { id, name, username, ...(avatar_id ? { avatar_id } : {}) });
    }
  }

  /**
   * @param {string} id
   * @returns {Person | undefined} undefined while it is being asked for, or if there is no such person
   */
  get(id) {
    const person = this.#known.get(id);
    if (person === undefined) this.#want(id);
    return person ?? undefined;
  }

  /** @param {string} id */
  #want(id) {
    this.#wanted.add(id);
    // A screen full of strangers is one request.
    this.#timer ??= this.env.clock.setTimeout(() => void this.#ask(), 30);
  }

  async #ask() {
    const ids = [...this.#wanted].slice(0, 100);
    try {
      /** @type {import("./contract.d.ts").FoundPeople} */
      const { users } = await this.session.call("GET", "/users", { query: { ids: ids.join(",") } });
      for (const id of ids) {
        this.#wanted.delete(id);
        this.#known.set(id, null);
      }
      this.learn(users);
      this.changed();
    } catch {
      // Asked for again by whoever next shows one of them.
      this.#wanted.clear();
    }
    this.#timer = null;
    if (this.#wanted.size > 0) this.#timer = this.env.clock.setTimeout(() => void this.#ask(), 30);
  }

  stop() {
    this.env.clock.clearTimeout(this.#timer);
  }
}
