// @ts-check

/**
 * The protocol's codes, and this client's own. A server newer than the client may have others.
 * @typedef {import("./types.js").ErrorCode | 'not_uploaded' | 'file_refused' | 'network' | 'timeout' | 'throttled' |
 *   'not_found' | 'no_session' | 'aborted'} Code
 */

/** Codes after which the same request may succeed later. @type {Set<Code>} */
const TEMPORARY = new Set(["network", "timeout", "internal", "unavailable", "too_many_attempts", "throttled"]);

/**
 * Codes of an `error` frame after which the server closes the socket and the client must not come back by itself.
 * @type {Set<Code>}
 */
export const CLOSING = new Set(["session_ended", "password_changed", "too_many_connections"]);

/**
 * Any refusal. `code` is the protocol's, or one of these: `network` (no answer), `timeout`, `throttled` and `not_found`
 * (the gateway's own 429 and 404), `no_session` (nobody is logged in), `aborted` (this client gave up an upload).
 */
export class WindiError extends Error {
  /**
   * @param {Code} code
   * @param {{status?: number, message?: string, retryAfter?: number | null, requestId?: string | null}} [details]
   */
  constructor(code, { status = 0, message = code, retryAfter = null, requestId = null } = {}) {
    super(message);
    this.name = "WindiError";
    this.code = code;
    this.status = status;
    /** Seconds to wait, if the server said so. */
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }

  /** Whether it makes sense to repeat the same request. */
  get temporary() {
    return TEMPORARY.has(this.code) || this.retryAfter !== null;
  }
}

/**
 * @param {number} status
 * @param {Partial<import("./types.js").ErrorBody> | null} body the parsed body, or null if it was not JSON
 * @param {string | null} retryHeader
 * @returns {WindiError}
 */
export function fromResponse(status, body, retryHeader) {
  const code = typeof body?.code === "string" ? /** @type {Code} */ (body.code) : gatewayCode(status);
  const seconds = Number(body?.retry_after ?? retryHeader ?? NaN);
  return new WindiError(code, {
    status,
    message: body?.message,
    retryAfter: Number.isFinite(seconds) ? seconds : null,
    requestId: body?.request_id ?? null,
  });
}

/** @param {Partial<import("./types.js").ErrorBody> | null | undefined} data the data of an `error` frame */
export function fromFrame(data) {
  return new WindiError(/** @type {Code} */ (String(data?.code ?? "internal")), {
    message: data?.message,
    retryAfter: typeof data?.retry_after === "number" ? data.retry_after : null,
    requestId: data?.request_id ?? null,
  });
}

/** @param {unknown} error @returns {WindiError} */
export function asWindiError(error) {
  return error instanceof WindiError ? error : new WindiError("network", { message: String(error) });
}

/** @param {number} status an answer of the gateway itself, which has no code @returns {Code} */
function gatewayCode(status) {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 413) return "payload_too_large";
  if (status === 429) return "throttled";
  return status >= 502 ? "unavailable" : "internal";
}

/**
 * Calls once more, if that may help: the call must have a key.
 * @template T @param {() => Promise<T>} call @returns {Promise<T>}
 */
export async function again(call) {
  try {
    return await call();
  } catch (error) {
    if (!asWindiError(error).temporary) throw error;
    return call();
  }
}
