// @ts-check
import { Emitter } from "./emitter.js";
import { backoff } from "./env.js";
import { WindiError, asWindiError } from "./errors.js";
import { FRAME_BYTES, Link } from "./link.js";

/** @import {Action, ActionData, Frame} from "./types.js" */

/** The server closes a socket after ten minutes without a frame. A ping this often also finds a dead one. */
const PING_MS = 120_000;
const PONG_MS = 10_000;
/** The server closes a socket after two hours. The next one is opened this long after the last. */
const LIFE_MS = 110 * 60_000;
/** How long the old socket stays open beside the new one, for pushes that are on their way. */
const OVERLAP_MS = 5_000;
/** A socket that has been open this long, or has answered a ping, is not the next of a row of failures. */
const STABLE_MS = 30_000;

/**
 * `displaced`: this was, or may have been, the oldest of too many sockets; only `start` comes back from it.
 * @typedef {'stopped' | 'connecting' | 'waiting' | 'online' | 'displaced'} ConnectionState
 */

/**
 * Keeps one socket open. Emits `open` for each new one, which is when the caller catches up; `closing` when the server
 * has ended the session; `reachable` when the server answers but lets no socket through.
 * @extends {Emitter<{state: ConnectionState, open: null, reachable: null, frame: Frame,
 *   closing: 'session_ended' | 'password_changed'}>}
 */
export class Connection extends Emitter {
  /** @type {Link | null} */
  #link = null;
  /** @type {Link | null} */
  #next = null;
  /** @type {Set<Link>} */
  #retiring = new Set();
  /** @type {any} */
  #retry = null;
  /** @type {any} */
  #ping = null;
  /** @type {any} */
  #renewal = null;
  /** @type {any} */
  #stable = null;
  #attempt = 0;
  #opening = false;
  /** Whether the last socket was closed with 1000 and without a reason, and the server has not been asked yet why. */
  #unexplained = false;
  /** Whether the last handshake failed: the URL may be out of date. */
  #failed = false;
  /** @type {ConnectionState} */
  state = "stopped";
  /** When the next attempt is made, for a UI; null unless `waiting`. @type {number | null} */
  retryAt = null;

  /**
   * @param {import("./env.js").Environment} env
   * @param {(again: boolean) => Promise<string>} url `again` if the last one did not work
   * @param {import("./session.js").Session} session
   * @param {() => ActionData<"ping">} pingData the data of each ping
   */
  constructor(env, url, session, pingData) {
    super();
    this.env = env;
    this.url = url;
    this.session = session;
    this.pingData = pingData;
  }

  start() {
    if (this.state !== "stopped" && this.state !== "displaced") return;
    this.#attempt = 0;
    this.#unexplained = false;
    this.#setState("connecting");
    void this.#open();
  }

  stop() {
    this.#setState("stopped");
    this.#clearTimers();
    for (const link of [this.#link, this.#next, ...this.#retiring]) link?.drop();
    this.#link = this.#next = null;
    this.#retiring.clear();
  }

  /**
   * Something has changed (the network is back, the page is visible again): try now, or see whether the socket lives.
   */
  wake() {
    if (this.#link?.usable) this.#beat();
    else if (this.state === "waiting") {
      this.env.clock.clearTimeout(this.#retry);
      this.#attempt = 0;
      void this.#open();
    }
  }

  get online() {
    return this.#link?.usable ?? false;
  }

  /**
   * @template {Action["action"]} Name
   * @param {Name} action @param {ActionData<Name>} data
   * @returns {boolean} whether the frame is small enough, and there is a socket to send it on
   */
  carries(action, data) {
    if (!this.online) return false;
    // A request_id adds up to thirty bytes.
    return new TextEncoder().encode(JSON.stringify({ action, data })).length + 64 <= FRAME_BYTES;
  }

  /**
   * @template {Action["action"]} Name
   * @param {Name} action @param {ActionData<Name>} data
   * @param {number} [timeout] milliseconds. Silence this long is taken for a dead socket only if a ping says so too.
   * @returns {Promise<any>}
   */
  async request(action, data, timeout = 8_000) {
    if (!this.#link?.usable) throw new WindiError("network", { message: "not connected" });
    try {
      return await this.#link.request(action, data, timeout);
    } catch (error) {
      if (asWindiError(error).code === "timeout" && action !== "ping") this.#beat();
      throw error;
    }
  }

  /** @template {Action["action"]} Name @param {Name} action @param {ActionData<Name>} data */
  post(action, data) {
    this.#link?.post(action, data);
  }

  async #open() {
    if (this.#opening) return;
    this.#opening = true;
    this.retryAt = null;
    if (!this.online) this.#setState("connecting");
    try {
      const [url, fresh] = await Promise.all([this.url(this.#failed), this.session.token()]);
      const token = this.#unexplained ? await this.#explain(fresh) : fresh;
      if (token === null || this.state === "stopped" || this.state === "displaced") return;
      const link = new Link(this.env, url, token, {
        open: () => this.#opened(link),
        frame: (frame) => this.emit("frame", frame),
        closed: (reason) => this.#closed(link, reason, token),
      });
      this.#next = link;
    } catch (error) {
      // The constructor of a WebSocket throws at a URL it does not like.
      this.#failed = true;
      this.#later(asWindiError(error));
    } finally {
      this.#opening = false;
    }
  }

  /**
   * Finds out whether a socket was closed with its session. If not, it may have been one too many, and coming back
   * would push out another device.
   * @param {string} token
   * @returns {Promise<string | null>} the token to connect with, or null
   */
  async #explain(token) {
    try {
      await this.session.http.call("GET", "/auth/me", { token, timeout: PONG_MS });
    } catch (error) {
      if (asWindiError(error).code !== "unauthorized") throw error;
      const fresh = await this.session.refresh(token);
      this.#unexplained = false;
      return fresh;
    }
    // Somebody may have asked to connect while the answer was on its way.
    if (!this.#unexplained) return token;
    if (this.state !== "stopped") this.#displaced();
    return null;
  }

  #displaced() {
    this.stop();
    this.#setState("displaced");
  }

  /** @param {Link} link */
  #opened(link) {
    const old = this.#link;
    this.#link = link;
    this.#next = null;
    this.#failed = this.#unexplained = false;
    if (old) this.#retire(old);
    const { clock, random } = this.env;
    this.#clearTimers();
    this.#ping = clock.setTimeout(() => this.#beat(), PING_MS * (0.8 + 0.2 * random()));
    this.#stable = clock.setTimeout(() => (this.#attempt = 0), STABLE_MS);
    this.#renewal = clock.setTimeout(() => void this.#open(), LIFE_MS * (0.95 + 0.05 * random()));
    this.#setState("online");
    this.emit("open", null);
  }

  /** @param {Link} old */
  #retire(old) {
    this.#retiring.add(old);
    this.env.clock.setTimeout(() => {
      this.#retiring.delete(old);
      old.drop();
    }, OVERLAP_MS);
  }

  /**
   * @param {Link} link @param {{code: number, opened: boolean, closing: string | null}} reason @param {string} token
   */
  #closed(link, { code, opened, closing }, token) {
    const current = link === this.#link;
    this.#retiring.delete(link);
    if (link === this.#next) this.#next = null;
    if (current) {
      this.#link = null;
      this.env.clock.clearTimeout(this.#stable);
    }
    if (this.state === "stopped") return;
    if (closing === "session_ended" || closing === "password_changed") {
      this.stop();
      this.emit("closing", closing);
    } else if (closing === "too_many_connections") {
      // Coming back would push out another device. A socket that was being replaced anyway does not matter.
      if (!this.online) this.#displaced();
    } else if (!opened) {
      this.#failed = true;
      void this.#refused(token);
    } else if (current && !this.#next && !this.#opening) {
      if (code !== 1000) return this.#later(null);
      this.#unexplained = true;
      void this.#open();
    }
  }

  /**
   * A handshake failed. A browser does not say why, so an HTTP request finds out whether the token was to blame; if it
   * was, the session refreshes it, or ends.
   * @param {string} token
   */
  async #refused(token) {
    /** @type {WindiError | null} */
    let cause = null;
    try {
      await this.session.http.call("GET", "/auth/me", { token, timeout: PONG_MS });
      this.emit("reachable", null);
    } catch (error) {
      cause = asWindiError(error);
      if (cause.code === "unauthorized") await this.session.refresh(token).catch(() => {});
    }
    this.#later(cause);
  }

  /** @param {WindiError | null} cause */
  #later(cause) {
    if (this.state === "stopped" || this.state === "displaced" || !this.session.account) return;
    const { clock, random } = this.env;
    const wait = backoff(random, this.#attempt++, { base: 500, cap: 30_000, retryAfter: cause?.retryAfter ?? null });
    clock.clearTimeout(this.#retry);
    this.#retry = clock.setTimeout(() => void this.#open(), wait);
    this.retryAt = clock.now() + wait;
    if (!this.online) this.#setState("waiting");
  }

  /** One ping. A socket that does not answer it is dead, whatever the browser believes. */
  #beat() {
    const link = this.#link;
    if (!link?.usable) return;
    const { clock, random } = this.env;
    clock.clearTimeout(this.#ping);
    this.#ping = clock.setTimeout(() => this.#beat(), PING_MS * (0.8 + 0.2 * random()));
    const answered = () => {
      if (link === this.#link) this.#attempt = 0;
    };
    link.request("ping", this.pingData(), PONG_MS).then(answered, (error) => {
      if (error.code === "timeout") link.drop();
      // A refusal is an answer too, but the end of the socket is not.
      else if (error.code !== "network") answered();
    });
  }

  #clearTimers() {
    for (const timer of [this.#retry, this.#ping, this.#renewal, this.#stable]) this.env.clock.clearTimeout(timer);
  }

  /** @param {ConnectionState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.emit("state", state);
  }
}
