// @ts-check
import { WindiError, fromResponse } from "./errors.js";

/**
 * @typedef {object} CallOptions
 * @property {Record<string, string | number | undefined>} [query]
 * @property {import("./contract.d.ts").RequestBody | import("./types.js").Send | import("./files.js").NewFile} [body]
 * @property {string} [token] an access token
 * @property {number} [timeout] milliseconds; the gateway itself gives up after about 30 seconds
 * @property {boolean} [keepalive] whether the request outlives the page
 */

/** One HTTP request, with an answer or a WindiError. Knows nothing about sessions. */
export class Http {
  /**
   * @param {import("./env.js").Environment} env
   * @param {string} base the URL of the HTTP API, without a slash at its end
   */
  constructor(env, base) {
    this.env = env;
    this.base = base.replace(/\/+$/, "");
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {CallOptions} [options]
   * @returns {Promise<any>} the parsed body, null if there is none
   */
  async call(method, path, { query = {}, body, token, timeout = 35_000, keepalive = false } = {}) {
    const { clock } = this.env;
    const abort = new AbortController();
    /** @type {(error: WindiError) => void} */
    let giveUp = () => {};
    const expired = new Promise((_, reject) => (giveUp = reject));
    const timer = clock.setTimeout(() => {
      giveUp(new WindiError("timeout", { message: `${method} ${path} was not answered` }));
      abort.abort();
    }, timeout);
    try {
      return await Promise.race([this.#exchange(method, path, query, body, token, keepalive, abort.signal), expired]);
    } finally {
      clock.clearTimeout(timer);
      giveUp(new WindiError("timeout"));
      expired.catch(() => {});
    }
  }

  /**
   * @param {string} method @param {string} path @param {Record<string, string | number | undefined>} query
   * @param {any} body @param {string | undefined} token @param {boolean} keepalive
   * @param {AbortSignal} signal
   */
  async #exchange(method, path, query, body, token, keepalive, signal) {
    const parameters = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(String(value))}`],
    );
    /** @type {Record<string, string>} */
    const headers = {};
    if (token) headers["Authorization"] = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const url = this.base + path + (parameters.length ? `?${parameters.join("&")}` : "");
    let response, text;
    try {
      response = await this.env.fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
        keepalive,
        cache: "no-store",
        credentials: "omit",
      });
      text = await response.text();
    } catch (error) {
      throw new WindiError("network", { message: String(error) });
    }
    const parsed = parse(text);
    if (response.ok) {
      if (text && parsed === undefined) throw new WindiError("internal", { status: response.status });
      return parsed ?? null;
    }
    throw fromResponse(response.status, parsed ?? null, response.headers.get("retry-after"));
  }
}

/** @param {string} text @returns {any} undefined if it is not JSON */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
