// @ts-check
import { CLOSING, WindiError, fromFrame } from "./errors.js";

/** @import {Action, ActionData, Frame} from "./types.js" */

/** A longer frame is closed with 1009; a browser cannot split a message into frames. */
export const FRAME_BYTES = 32 * 1024;
const HANDSHAKE_MS = 15_000;

/**
 * @typedef {object} LinkHandlers
 * @property {() => void} open
 * @property {(frame: Frame) => void} frame every frame with a type, answers included
 * @property {(reason: {code: number, opened: boolean, closing: string | null}) => void} closed exactly once;
 *   `closing` is the code of the `error` frame that announced the close
 */

/** One WebSocket, with answers matched to requests. */
export class Link {
  /** @type {Map<string, {resolve: (data: any) => void, reject: (error: WindiError) => void, timer: any}>} */
  #waiting = new Map();
  #serial = 0;
  #done = false;
  /** @type {string | null} */
  #closing = null;
  opened = false;

  /**
   * @param {import("./env.js").Environment} env
   * @param {string} url
   * @param {string} token
   * @param {LinkHandlers} handlers
   */
  constructor(env, url, token, handlers) {
    this.env = env;
    this.handlers = handlers;
    // The token travels as a sub-protocol: a browser cannot set headers here, and a URL would end up in logs.
    this.socket = new env.WebSocket(url, ["windi", token]);
    this.handshake = env.clock.setTimeout(() => this.drop(), HANDSHAKE_MS);
    this.socket.onopen = () => {
      if (this.#done) return;
      this.opened = true;
      env.clock.clearTimeout(this.handshake);
      handlers.open();
    };
    this.socket.onmessage = (/** @type {{data: any}} */ event) => {
      if (!this.#done) this.#receive(event.data);
    };
    this.socket.onclose = (/** @type {{code?: number}} */ event) => this.#finish(event.code ?? 1006);
    this.socket.onerror = () => {};
  }

  /** @returns {boolean} */
  get usable() {
    return this.opened && !this.#done;
  }

  /**
   * Sends a frame and waits for its answer.
   * @template {Action["action"]} Name
   * @param {Name} action
   * @param {ActionData<Name>} data
   * @param {number} timeout milliseconds
   * @returns {Promise<any>} the data of the answer
   */
  request(action, data, timeout) {
    const request_id = `r${++this.#serial}`;
    return new Promise((resolve, reject) => {
      if (!this.usable) return reject(new WindiError("network", { message: "the socket is closed" }));
      const timer = this.env.clock.setTimeout(() => {
        this.#waiting.delete(request_id);
        reject(new WindiError("timeout", { message: `${action} was not answered` }));
      }, timeout);
      this.#waiting.set(request_id, { resolve, reject, timer });
      this.socket.send(JSON.stringify({ action, data, request_id }));
    });
  }

  /**
   * Sends a frame that has no answer.
   * @template {Action["action"]} Name
   * @param {Name} action @param {ActionData<Name>} data
   */
  post(action, data) {
    if (this.usable) this.socket.send(JSON.stringify({ action, data }));
  }

  /** Gives the socket up at once, whether or not the other side still answers. */
  drop() {
    try {
      this.socket.close(1000);
    } catch {
      // It was never opened.
    }
    // A dead network can delay the close event by minutes.
    this.#finish(1006);
  }

  /** @param {any} text */
  #receive(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof frame?.type !== "string") {
      // The gateway's own error does not say which frame it is about: everything under way is repeated.
      this.#fail(new WindiError("internal", { message: frame?.message, requestId: frame?.requestId }));
      return;
    }
    const isError = frame.type === "error";
    if (isError && CLOSING.has(frame.data?.code)) this.#closing = frame.data.code;
    // What a frame says is applied before whoever waits for it goes on.
    if (!isError) this.handlers.frame(frame);
    const waiting = this.#waiting.get(frame.request_id);
    if (!waiting) return;
    this.#waiting.delete(frame.request_id);
    this.env.clock.clearTimeout(waiting.timer);
    if (isError) waiting.reject(fromFrame(frame.data));
    else waiting.resolve(frame.data);
  }

  /** @param {number} code */
  #finish(code) {
    if (this.#done) return;
    this.#done = true;
    this.env.clock.clearTimeout(this.handshake);
    this.#fail(new WindiError("network", { message: "the socket was closed" }));
    this.handlers.closed({ code, opened: this.opened, closing: this.#closing });
  }

  /** @param {WindiError} error */
  #fail(error) {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of waiting) {
      this.env.clock.clearTimeout(timer);
      reject(error);
    }
  }
}
