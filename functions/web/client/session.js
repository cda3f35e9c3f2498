// @ts-check
import { Emitter } from "./emitter.js";
import { backoff, sleep } from "./env.js";
import { WindiError, asWindiError } from "./errors.js";
import { Http } from "./http.js";

/** @import {Account, TokenPair} from "./types.js" */

const KEY = "session";
/** Refresh an access token that has less than this left. */
const MARGIN_MS = 30_000;
/**
 * A refresh token that has been used may be used again within ten seconds. An answer that was lost is asked for again
 * within this time, with short waits in between.
 */
const GRACE_MS = 9_000;
const REFRESH_TIMEOUT_MS = 3_000;

/**
 * Why a session is over: `logged_out` (here), `session_ended`, `password_changed`, or `other_account` when another tab
 * has logged in as somebody else.
 * @typedef {'logged_out' | 'session_ended' | 'password_changed' | 'other_account'} EndReason
 * @typedef {{access_token: string, refresh_token: string, expires_at: number, account: Account}} Stored
 */

/**
 * The tokens of one login, shared by all tabs. Only one tab refreshes at a time; the others take what it stored.
 * @extends {Emitter<{ended: EndReason}>}
 */
export class Session extends Emitter {
  /** @type {Stored | null} */
  #stored = null;
  /** @type {Promise<string> | null} */
  #refreshing = null;

  /**
   * @param {import("./env.js").Environment} env
   * @param {string} base
   */
  constructor(env, base) {
    super();
    this.env = env;
    this.http = new Http(env, base);
  }

  /** @returns {Account | null} */
  get account() {
    return this.#stored?.account ?? null;
  }

  /** Takes up the session that a tab stored earlier. @returns {Promise<Account | null>} */
  async restore() {
    this.#stored = (await this.env.storage.get(KEY)) ?? null;
    return this.account;
  }

  /**
   * @param {string} login a username, or an e-mail address
   * @param {string} password
   * @returns {Promise<Account>}
   */
  async login(login, password) {
    const name = login.trim();
    const body = name.includes("@") ? { email: name, password } : { username: name, password };
    const tokens = await this.http.call("POST", "/auth/login", { body });
    const account = await this.http.call("GET", "/auth/me", { token: tokens.access_token });
    await this.#store(tokens, account);
    return account;
  }

  /**
   * Ends the session on the server. Without a connection it lives on there until its tokens expire.
   */
  async logout() {
    try {
      await this.call("POST", "/auth/logout");
    } catch (error) {
      if (asWindiError(error).code === "unavailable") await this.call("POST", "/auth/logout").catch(() => {});
    }
    await this.end("logged_out");
  }

  /** @param {EndReason} reason */
  async end(reason) {
    const account = this.#stored?.account;
    if (!account) return;
    this.#stored = null;
    const stored = await this.env.storage.get(KEY);
    if (stored?.account.id === account.id) await this.env.storage.delete(KEY);
    this.emit("ended", reason);
  }

  /** An access token that is good for a while. @returns {Promise<string>} */
  async token() {
    const stored = this.#stored;
    if (!stored) throw new WindiError("no_session");
    if (stored.expires_at - this.env.clock.now() > MARGIN_MS) return stored.access_token;
    return this.refresh(stored.access_token);
  }

  /**
   * A request as the person logged in. A 401 is answered with one refresh.
   * @param {string} method
   * @param {string} path
   * @param {import("./http.js").CallOptions} [options]
   * @returns {Promise<any>}
   */
  async call(method, path, options = {}) {
    const token = await this.token();
    try {
      return await this.http.call(method, path, { ...options, token });
    } catch (error) {
      if (asWindiError(error).code !== "unauthorized") throw error;
      return this.http.call(method, path, { ...options, token: await this.refresh(token) });
    }
  }

  /**
   * Replaces an access token that has expired or was refused.
   * @param {string} bad
   * @returns {Promise<string>}
   */
  refresh(bad) {
    this.#refreshing ??= this.env.locks
      .request("windi-refresh", () => this.#refreshAlone(bad))
      .finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** @param {string} bad */
  async #refreshAlone(bad) {
    /** @type {Stored | undefined} */
    const stored = await this.env.storage.get(KEY);
    const account = this.#stored?.account;
    if (!account) throw new WindiError("no_session");
    if (stored?.account.id !== account.id) {
      await this.end(stored ? "other_account" : "session_ended");
      throw new WindiError("no_session");
    }
    // Another tab was faster.
    if (stored.access_token !== bad && stored.expires_at > this.env.clock.now()) {
      this.#stored = stored;
      return stored.access_token;
    }
    const tokens = await this.#exchange(stored.refresh_token);
    if (!this.#stored) throw new WindiError("no_session");
    await this.#store(tokens, account);
    return tokens.access_token;
  }

  /** @param {string} refreshToken @returns {Promise<TokenPair>} */
  async #exchange(refreshToken) {
    const { clock, random } = this.env;
    const started = clock.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.http.call("POST", "/auth/refresh", {
          body: { refresh_token: refreshToken },
          timeout: REFRESH_TIMEOUT_MS,
        });
      } catch (cause) {
        const error = asWindiError(cause);
        if (error.code === "unauthorized") {
          await this.end("session_ended");
          throw error;
        }
        const wait = backoff(random, attempt, { base: 400, cap: 2_000, retryAfter: error.retryAfter });
        if (!error.temporary || clock.now() + wait - started > GRACE_MS) throw error;
        await sleep(clock, wait);
      }
    }
  }

  /** @param {TokenPair} tokens @param {Account} account */
  async #store(tokens, account) {
    this.#stored = {
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
      expires_at: this.env.clock.now() + tokens.expires_in * 1000,
      account,
    };
    await this.env.storage.set(KEY, this.#stored);
  }
}
