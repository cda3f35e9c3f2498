// @ts-check
import { Client, MemoryLocks, MemoryStorage } from "../../index.js";
import { VirtualClock, generator } from "./clock.js";
import { Network } from "./network.js";
import { Server } from "./server.js";

/** A server, a network and clients, all driven by one seed and one clock. */
export class World {
  /** @param {number} seed */
  constructor(seed) {
    this.random = generator(seed);
    this.clock = new VirtualClock();
    this.server = new Server(this.clock);
    this.network = new Network(this.server, this.clock, this.random);
    this.keys = 0;
  }

  /** What two tabs of one browser share. */
  browser() {
    return { storage: new MemoryStorage(), locks: new MemoryLocks() };
  }

  /** @param {{storage: MemoryStorage, locks: MemoryLocks}} browser @param {number} [windowLimit] */
  tab(browser, windowLimit = 40) {
    return new Client({
      url: "http://server",
      socketUrl: "ws://server/ws",
      windowLimit,
      env: {
        fetch: this.network.fetch,
        WebSocket: this.network.socketClass(),
        clock: this.clock,
        random: this.random,
        key: () => `key-${++this.keys}`,
        ...browser,
      },
    });
  }

  /** Does something that takes time. @template T @param {Promise<T>} work @returns {Promise<T>} */
  async during(work) {
    let done = false;
    work.then(
      () => (done = true),
      () => (done = true),
    );
    for (let i = 0; i < 20_000 && !done; i++) await this.clock.pass(10);
    return work;
  }

  /** @param {string} username @param {any} [browser] @param {number} [windowLimit] */
  async enter(username, browser = this.browser(), windowLimit) {
    const client = this.tab(browser, windowLimit);
    await this.during(client.login(username, "password"));
    await this.clock.pass(2_000);
    return client;
  }

  /** @template T @param {T[]} list @returns {T} */
  pick(list) {
    return /** @type {T} */ (list[Math.floor(this.random() * list.length)]);
  }
}
