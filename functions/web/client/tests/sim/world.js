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
    return { storage: new MemoryStorage(), locks: new MemoryLocks(), tabs: /** @type {Set<any>} */ (new Set()) };
  }

  /** A channel that reaches the other tabs of a browser. @param {Set<any>} tabs */
  channel(tabs) {
    const channel = {
      onmessage: /** @type {((event: {data: any}) => any) | null} */ (null),
      postMessage: (/** @type {any} */ data) => {
        for (const other of tabs) if (other !== channel) this.clock.setTimeout(() => other.onmessage?.({ data }), 1);
      },
    };
    tabs.add(channel);
    return channel;
  }

  /**
   * @param {ReturnType<World["browser"]>} browser @param {number} [windowLimit]
   * @param {string | ((again: boolean) => Promise<string>)} [socketUrl]
   */
  tab(browser, windowLimit = 40, socketUrl = "ws://server/ws") {
    return new Client({
      url: "http://server",
      socketUrl,
      windowLimit,
      env: {
        fetch: this.network.fetch,
        put: this.network.put,
        WebSocket: this.network.socketClass(),
        clock: this.clock,
        random: this.random,
        key: () => `key-${++this.keys}`,
        storage: browser.storage,
        locks: browser.locks,
        channel: this.channel(browser.tabs),
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
