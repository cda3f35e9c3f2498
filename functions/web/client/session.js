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
 * Why a session is over: `logged_out` (here or in another tab), `session_ended`, `password_changed`, or `other_account`
 * when another tab has logged in again.
 * @typedef {'logged_out' | 'session_ended' | 'password_changed' | 'other_account'} EndReason
 * @typedef {object} Stored
 * @property {string} access_token
 * @property {string} refresh_token
 * @property {number} expires_at when the access token expires, in milliseconds since the epoch
 * @property {Account} account
 * @property {string} [login_id] random, the same until the log-out; records of older versions lack it
 */

/** @param {Stored | null | undefined} a @param {Stored | null | undefined} b @returns {boolean} of the same login */
const same = (a, b) => !!a && !!b && a.account.id === b.account.id && a.login_id === b.login_id;

/**
 * The tokens of one login, shared by all tabs. Only one tab refreshes at a time; the others take what it stored.
 * @extends {Emitter<{ended: EndReason}>}
 */
export class Session extends Emitter {
  /** @type {Stored | null} */
  #stored = null;
  /** Whether the storage refused the tokens held. */
  #unsaved = false;
  /** @type {{of: Stored, token: Promise<string>} | null} */
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

  /** Tells this login from every other, also of the same person. Null if nobody is logged in. */
  get loginId() {
    return this.#stored && (this.#stored.login_id ?? this.#stored.account.id);
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
    /** @type {TokenPair} */
    const tokens = await this.http.call("POST", "/auth/login", { body });
    const account = await this.http.call("GET", "/auth/me", { token: tokens.access_token });
    await this.#store(tokens, account, this.env.key());
    return account;
  }

  /**
   * Ends the session on this device, and then on the server. Without a connection it lives on there until its tokens
   * expire.
   */
  async logout() {
    const mine = this.#stored;
    try {
      await this.end("logged_out");
    } finally {
      if (mine) void this.#endOnServer(mine);
    }
  }

  /** @param {Stored} mine */
  async #endOnServer({ access_token, refresh_token }) {
    let token = access_token;
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        // The page may be closed right after a log-out.
        return void (await this.http.call("POST", "/auth/logout", { token, keepalive: true }));
      } catch (cause) {
        const error = asWindiError(cause);
        if (error.code === "unauthorized" && token === access_token) {
          const body = { refresh_token };
          /** @type {TokenPair | null} */
          const fresh = await this.http.call("POST", "/auth/refresh", { body, keepalive: true }).catch(() => null);
          if (!fresh) return;
          token = fresh.access_token;
        } else if (error.temporary) {
          await sleep(this.env.clock, backoff(this.env.random, attempt, { retryAfter: error.retryAfter }));
        } else return;
      }
    }
  }

  /** @param {EndReason} reason */
  async end(reason) {
    const mine = this.#stored;
    if (!mine) return;
    this.#stored = null;
    try {
      // Another tab may have logged in since; its tokens stay.
      if (same(await this.env.storage.get(KEY), mine)) await this.env.storage.delete(KEY);
    } catch {
      // The tokens left behind are refused by the server.
    } finally {
      this.emit("ended", reason);
    }
  }

  /** The account has changed. @param {Account} account */
  async keep(account) {
    await this.env.locks.request("windi-refresh", async () => {
      const mine = this.#stored;
      /** @type {Stored | undefined} */
      const stored = await this.env.storage.get(KEY).catch(() => undefined);
      // Another tab may have refreshed the tokens, or logged in as somebody else.
      if (!mine || !stored || !same(stored, mine) || stored.expires_at < mine.expires_at) return;
      // Most of the time nothing has changed, and what is not written cannot overwrite anything.
      if (JSON.stringify(stored.account) === JSON.stringify(account)) return;
      this.#stored = { ...stored, account };
      await this.env.storage.set(KEY, this.#stored).catch(() => {});
    });
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
    const login = this.loginId;
    // A request of one login is never made, repeated or answered in the next.
    const check = () => {
      if (this.#stored && this.loginId !== login) throw new WindiError("no_session");
    };
    let token = await this.token();
    check();
    try {
      const answer = await this.http.call(method, path, { ...options, token });
      check();
      return answer;
    } catch (error) {
      if (asWindiError(error).code !== "unauthorized") throw error;
    }
    check();
    token = await this.refresh(token);
    check();
    const answer = await this.http.call(method, path, { ...options, token });
    check();
    return answer;
  }

  /**
   * Replaces an access token that has expired or was refused.
   * @param {string} bad
   * @returns {Promise<string>}
   */
  refresh(bad) {
    const of = this.#stored;
    if (!of) return Promise.reject(new WindiError("no_session"));
    if (this.#refreshing && same(this.#refreshing.of, of)) return this.#refreshing.token;
    const token = this.env.locks.request("windi-refresh", () => this.#refreshAlone(bad, of));
    const refreshing = (this.#refreshing = { of, token });
    const done = () => {
      if (this.#refreshing === refreshing) this.#refreshing = null;
    };
    token.then(done, done);
    return token;
  }

  /** @param {string} bad @param {Stored} of tokens of the login that asks */
  async #refreshAlone(bad, of) {
    const best = await this.#newest(of);
    // Another tab was faster.
    if (best.access_token !== bad && best.expires_at > this.env.clock.now()) {
      this.#stored = best;
      return best.access_token;
    }
    const tokens = await this.#exchange(best.refresh_token, of);
    if (!same(this.#stored, of)) throw new WindiError("no_session");
    await this.#store(tokens, best.account, best.login_id);
    return tokens.access_token;
  }

  /** The newest tokens of a login, which another tab may have stored. @param {Stored} of @returns {Promise<Stored>} */
  async #newest(of) {
    /** @type {Stored | undefined} */
    let stored;
    let readable = true;
    try {
      stored = await this.env.storage.get(KEY);
    } catch {
      readable = false;
    }
    const mine = this.#stored;
    if (!mine || !same(mine, of)) throw new WindiError("no_session");
    if (!readable) return mine;
    // What was not stored cannot be missing, and does not give way to what is older.
    if (this.#unsaved && (stored?.expires_at ?? 0) < mine.expires_at) return mine;
    if (!stored || !same(stored, mine)) {
      await this.end(stored ? "other_account" : "session_ended");
      throw new WindiError("no_session");
    }
    return stored.expires_at >= mine.expires_at ? stored : mine;
  }

  /** @param {string} refreshToken @param {Stored} of @returns {Promise<TokenPair>} */
  async #exchange(refreshToken, of) {
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
          if (same(this.#stored, of)) await this.end("session_ended");
          throw error;
        }
        const wait = backoff(random, attempt, { base: 400, cap: 2_000, retryAfter: error.retryAfter });
        if (!error.temporary || clock.now() + wait - started > GRACE_MS) throw error;
        await sleep(clock, wait);
      }
    }
  }

  /** @param {TokenPair} tokens @param {Account} account @param {string | undefined} login_id */
  async #store(tokens, account, login_id) {
    const stored = (this.#stored = {
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
      expires_at: this.env.clock.now() + tokens.expires_in * 1000,
      account,
      ...(login_id === undefined ? {} : { login_id }),
    });
    // A rotation that is not stored must not fail: the refresh token in the storage is used up.
    for (let attempt = 0; attempt < 2 && this.#stored === stored; attempt++) {
      this.#unsaved = !(await this.env.storage.set(KEY, stored).then(
        () => true,
        () => false,
      ));
      if (!this.#unsaved) return;
    }
  }
}
