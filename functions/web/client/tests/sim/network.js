// @ts-check
import { WindiError } from "../../errors.js";

/**
 * Chances that something goes wrong, each between 0 and 1.
 * @typedef {object} Faults
 * @property {number} losePush
 * @property {number} doublePush
 * @property {number} slowPush late by up to three seconds, so that pushes overtake each other
 * @property {number} loseFrame a frame of the client never arrives
 * @property {number} loseAnswer the server has acted, but the client is not told
 * @property {number} cut the socket dies with the frame, before or after the server has acted on it
 * @property {number} refuse no connection at all
 * @property {number} overload a 503
 */

export const NO_FAULTS = {
  losePush: 0,
  doublePush: 0,
  slowPush: 0,
  loseFrame: 0,
  loseAnswer: 0,
  cut: 0,
  refuse: 0,
  overload: 0,
};

/** Stands between clients and the simulated server. */
export class Network {
  /** @type {Faults} */
  faults = { ...NO_FAULTS };
  /**
   * What happens to every socket: its handshake is refused, or it dies once it is open.
   * @type {null | 'refuse' | 'die'}
   */
  socketFault = null;
  /** @type {Set<any>} */
  sockets = new Set();
  /** How many requests the server has seen, by `METHOD path`. @type {string[]} */
  seen = [];
  /** Refresh tokens whose answer was lost: they may come back too late. @type {Set<string>} */
  lostRefreshes = new Set();

  /**
   * @param {import("./server.js").Server} server
   * @param {import("./clock.js").VirtualClock} clock
   * @param {() => number} random
   */
  constructor(server, clock, random) {
    this.server = server;
    this.clock = clock;
    this.random = random;
  }

  /** @param {keyof Faults} fault */
  strikes(fault) {
    return this.random() < this.faults[fault];
  }

  /** @param {() => void} f @param {boolean} [slow] */
  soon(f, slow = false) {
    this.clock.setTimeout(f, 5 + this.random() * 40 + (slow ? this.random() * 3_000 : 0));
  }

  /** @param {string} address @param {any} options @returns {Promise<any>} */
  fetch = (address, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError("fetch failed"));
      signal?.addEventListener("abort", fail);
      if (this.strikes("refuse") || this.strikes("loseFrame")) return this.soon(fail);
      this.soon(() => {
        const url = new URL(address);
        this.seen.push(`${method} ${url.pathname}`);
        const overloaded = this.strikes("overload");
        const answer = overloaded
          ? { status: 503, body: { code: "unavailable", message: "busy", retry_after: 1 } }
          : this.server.http(method, url, body && JSON.parse(body), headers["Authorization"]?.slice(7));
        // An answer that is lost without a sign is noticed by the client's own clock only.
        const lost = this.strikes("loseAnswer");
        if (lost && url.pathname === "/auth/refresh") this.lostRefreshes.add(JSON.parse(body).refresh_token);
        if (lost) return this.random() < 0.5 ? this.soon(fail) : undefined;
        this.soon(() =>
          resolve({
            ok: answer.status < 300,
            status: answer.status,
            headers: { get: () => null },
            text: async () => (answer.body === undefined ? "" : JSON.stringify(answer.body)),
          }),
        );
      });
    });

  /** Brings a file to the store. @param {import("../../transfer.js").Transfer} transfer @returns {Promise<number>} */
  put = ({ method, url, body, progress, signal }) =>
    new Promise((resolve, reject) => {
      const fail = () => reject(new WindiError("network"));
      signal?.addEventListener("abort", () => reject(new WindiError("aborted")));
      if (this.strikes("refuse") || this.strikes("loseFrame")) return this.soon(fail);
      this.soon(() => {
        this.seen.push(`${method} ${new URL(url).pathname}`);
        progress?.(0.5);
        if (this.strikes("overload")) return resolve(503);
        const status = this.server.store(new URL(url), body);
        progress?.(1);
        this.soon(() => (this.strikes("loseAnswer") ? fail() : resolve(status)));
      });
    });

  /** A class that stands for the browser's WebSocket. */
  socketClass() {
    const network = this;
    return class {
      /** @type {any} */ onopen = null;
      /** @type {any} */ onmessage = null;
      /** @type {any} */ onclose = null;
      /** @type {any} */ onerror = null;
      /** @type {any} */ device = null;
      closed = false;

      /** @param {string} _url @param {string[]} protocols */
      constructor(_url, protocols) {
        network.sockets.add(this);
        network.soon(() => {
          if (this.closed) return;
          let session;
          try {
            session = network.server.authorize(protocols[1]);
          } catch {
            return this.die(1006);
          }
          if (network.socketFault === "refuse" || network.strikes("refuse")) return this.die(1006);
          this.device = {
            user: session.user,
            session,
            joined: new Set(),
            push: (/** @type {any} */ f) => this.push(f),
            // After what was sent before it: a socket keeps the order.
            close: () => network.clock.setTimeout(() => this.die(1000), 50),
          };
          network.server.devices.add(this.device);
          network.soon(() => {
            if (!this.closed) this.onopen?.();
            if (network.socketFault === "die") network.clock.setTimeout(() => this.die(1006), 100);
          });
        });
      }

      /** @param {any} frame */
      push(frame) {
        const copies =
          network.strikes("losePush") && frame.type !== "error" ? 0 : network.strikes("doublePush") ? 2 : 1;
        for (let i = 0; i < copies; i++) this.deliver(frame, network.strikes("slowPush"));
      }

      /** @param {any} frame @param {boolean} [slow] */
      deliver(frame, slow) {
        const data = JSON.stringify(frame);
        network.soon(() => !this.closed && this.onmessage?.({ data }), slow);
      }

      /** @param {string} text */
      send(text) {
        if (this.closed) return;
        const frame = JSON.parse(text);
        if (network.strikes("cut") && network.random() < 0.5) return this.die(1006);
        if (network.strikes("loseFrame")) return;
        network.soon(() => {
          if (!network.server.devices.has(this.device)) return;
          network.seen.push(frame.action);
          const answer = network.server.frame(this.device, frame);
          if (network.strikes("cut")) return this.die(1006);
          if (answer && !network.strikes("loseAnswer")) this.deliver(answer, network.strikes("slowPush"));
        });
      }

      close() {
        network.server.devices.delete(this.device);
        this.closed = true;
      }

      /** @param {number} code */
      die(code) {
        network.server.devices.delete(this.device);
        network.sockets.delete(this);
        if (this.closed) return;
        this.closed = true;
        this.onclose?.({ code });
      }
    };
  }
}
