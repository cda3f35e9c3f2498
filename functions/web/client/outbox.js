// @ts-check
import { backoff } from "./env.js";
import { WindiError, asWindiError } from "./errors.js";
import { eraseAll } from "./storage.js";

/** @import {FileObject, Message} from "./types.js" */

/**
 * A message on its way. `sent` ones stay until the chat has caught up to them, so that a UI never shows a gap.
 * @typedef {object} Outgoing
 * @property {string} key its client_message_id, the same for all attempts
 * @property {string} chat_id
 * @property {string} text empty if it only has files
 * @property {FileObject[]} files
 * @property {import("./contract.d.ts").Quote | null} reply_to what it answers
 * @property {string} created_at
 * @property {'waiting' | 'sent' | 'failed'} state
 * @property {WindiError | null} error why it failed
 * @property {Message | null} message once sent
 */

/**
 * @typedef {object} OutboxContext
 * @property {import("./env.js").Environment} env
 * @property {import("./session.js").Session} session
 * @property {import("./connection.js").Connection} connection
 * @property {string} me
 * @property {(message: Message) => void} stored takes the acknowledged message
 * @property {(chatId: string) => void} changed
 */

/** Sends each chat's messages one after the other, and each with the same key until the server has answered. */
export class Outbox {
  /** @type {Map<string, Outgoing[]>} */
  #byChat = new Map();
  /** @type {Set<string>} */
  #pumping = new Set();
  /** @type {Set<() => void>} */
  #sleepers = new Set();
  /** @type {WeakMap<Outgoing, string>} */
  #names = new WeakMap();
  #serial = 0;
  /** The time in the name of the latest message. */
  #latest = 0;
  #stopped = false;
  #erased = false;

  /** @param {OutboxContext} context */
  constructor(context) {
    this.context = context;
    this.prefix = `outbox/${context.me}/`;
  }

  /** Takes up what was not sent before the last reload. */
  async restore() {
    for (const [name, saved] of await this.context.env.storage.entries(this.prefix)) {
      this.#latest = Math.max(this.#latest, Number.parseInt(name.slice(this.prefix.length), 10) || 0);
      const error = saved.error ? new WindiError(saved.error.code, saved.error) : null;
      const state = error ? "failed" : "waiting";
      this.#add({ reply_to: null, files: [], ...saved, state, error, message: null }, name);
    }
    for (const chatId of this.#byChat.keys()) void this.#pump(chatId);
  }

  stop() {
    this.#stopped = true;
    this.wake();
  }

  /** Tries again at once what is waiting for its next attempt. */
  wake() {
    for (const wake of [...this.#sleepers]) wake();
  }

  /** @param {string} chatId @returns {Outgoing[]} in order */
  of(chatId) {
    return this.#byChat.get(chatId) ?? [];
  }

  /** How many messages wait in all chats. */
  get waiting() {
    return [...this.#byChat.values()].flat().filter((item) => item.state === "waiting").length;
  }

  /**
   * @param {string} chatId @param {string} text @param {Message | null} [replyTo]
   * @param {FileObject[]} [files] uploaded already
   * @returns {Promise<Outgoing>} once it is safe from a reload
   */
  async send(chatId, text, replyTo = null, files = []) {
    const { env } = this.context;
    const now = env.clock.now();
    /** @type {Outgoing} */
    const item = {
      key: env.key(),
      chat_id: chatId,
      text,
      files,
      reply_to: replyTo && { id: replyTo.id, sender_id: replyTo.sender_id, text: replyTo.text?.slice(0, 200) ?? "" },
      created_at: new Date(now).toISOString(),
      state: "waiting",
      error: null,
      message: null,
    };
    // The name sorts by order, even if the clock has been set back.
    this.#latest = Math.max(now, this.#latest + 1);
    const name = `${this.prefix}${String(this.#latest).padStart(15, "0")}-${String(this.#serial++).padStart(6, "0")}-${item.key}`;
    this.#add(item, name);
    this.context.changed(chatId);
    await this.#save(item).catch(() => {});
    void this.#pump(chatId);
    return item;
  }

  /** Tries a failed message again, at its old place in the order. @param {Outgoing} item */
  async retry(item) {
    // The key was used for another text: the same one would be refused for ever.
    if (item.error?.code === "idempotency_conflict") item.key = this.context.env.key();
    // What it answers is gone, for good.
    if (["message_deleted", "message_not_found"].includes(item.error?.code ?? "")) item.reply_to = null;
    item.state = "waiting";
    item.error = null;
    await this.#save(item).catch(() => {});
    this.context.changed(item.chat_id);
    void this.#pump(item.chat_id);
  }

  /** @param {Outgoing} item a failed one */
  async discard(item) {
    this.#remove(item);
    await this.#forget(item).catch(() => {});
    this.context.changed(item.chat_id);
  }

  /** A message of this person was seen: it may be one whose acknowledgement was lost. @param {Message} message */
  seen(message) {
    const item = this.of(message.chat_id).find((other) => other.key === message.client_message_id);
    if (item?.state === "waiting") this.#sent(item, message);
  }

  /** Forgets what the chat's replica shows by itself. @param {string} chatId @param {number} revision the one held */
  settled(chatId, revision) {
    for (const item of [...this.of(chatId)]) {
      if (item.state === "sent" && item.message && item.message.revision <= revision) this.#remove(item);
    }
  }

  /** Erases everything, also what is stored. Nothing is written from then on. */
  async clear() {
    this.stop();
    this.#erased = true;
    const known = [...this.#byChat.values()].flat().map((item) => this.#names.get(item) ?? "");
    this.#byChat.clear();
    await eraseAll(this.context.env.storage, this.prefix, known);
  }

  /** @param {string} chatId */
  async #pump(chatId) {
    if (this.#pumping.has(chatId)) return;
    this.#pumping.add(chatId);
    let refused = 0;
    for (let attempt = 0; !this.#stopped;) {
      const item = this.of(chatId).find((other) => other.state === "waiting");
      if (!item) break;
      try {
        const message = await this.#attempt(item);
        attempt = refused = 0;
        if (item.state === "waiting") this.#sent(item, message);
      } catch (cause) {
        const error = asWindiError(cause);
        if (this.#stopped || error.code === "no_session") break;
        if (item.state !== "waiting") continue;
        // One refusal of the token may be answered by a refresh; a second one in a row stays.
        // A group may make its members wait for an hour: they are told so, and decide.
        const waits = error.temporary && error.code !== "slow_mode";
        const again = waits || (error.code === "unauthorized" && ++refused < 2);
        if (!again) {
          this.#failed(item, error);
          attempt = refused = 0;
        } else await this.#sleep(backoff(this.context.env.random, attempt++, { retryAfter: error.retryAfter }));
      }
    }
    this.#pumping.delete(chatId);
  }

  /** @param {Outgoing} item @returns {Promise<Message>} */
  #attempt(item) {
    const { connection, session } = this.context;
    /** @type {import("./types.js").Send} */
    const data = { chat_id: item.chat_id, client_message_id: item.key };
    if (item.text || item.files.length === 0) data.text = item.text;
    if (item.files.length > 0) data.file_ids = item.files.map(({ id }) => id);
    if (item.reply_to) data.reply_to_id = item.reply_to.id;
    // Without a socket, and for what does not fit into a frame, there is HTTP.
    if (connection.carries("sendMessage", data)) return connection.request("sendMessage", data);
    return session.call("POST", "/messages", { body: data });
  }

  /** @param {Outgoing} item @param {Message} message */
  #sent(item, message) {
    item.state = "sent";
    item.message = message;
    void this.#forget(item).catch(() => {});
    this.context.stored(message);
    this.context.changed(item.chat_id);
  }

  /** @param {Outgoing} item @param {WindiError} error */
  #failed(item, error) {
    item.state = "failed";
    item.error = error;
    void this.#save(item).catch(() => {});
    this.context.changed(item.chat_id);
  }

  /** @param {number} ms */
  #sleep(ms) {
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      const { clock } = this.context.env;
      const wake = () => {
        clock.clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = clock.setTimeout(wake, ms);
      this.#sleepers.add(wake);
    });
  }

  /** @param {Outgoing} item @param {string} name its key in the storage */
  #add(item, name) {
    this.#names.set(item, name);
    const list = this.#byChat.get(item.chat_id);
    if (list) list.push(item);
    else this.#byChat.set(item.chat_id, [item]);
  }

  /** @param {Outgoing} item */
  #remove(item) {
    this.#byChat.set(
      item.chat_id,
      this.of(item.chat_id).filter((other) => other !== item),
    );
  }

  /** @param {Outgoing} item */
  async #save({ ...item }) {
    const { key, chat_id, text, files, reply_to, created_at, error } = item;
    const original = this.of(chat_id).find((other) => other.key === key);
    const name = original && this.#names.get(original);
    const reply = reply_to ? { reply_to } : {};
    const why = error && { code: error.code, message: error.message, retryAfter: error.retryAfter };
    const saved = { key, chat_id, text, ...(files.length > 0 ? { files } : {}), ...reply, created_at, error: why };
    if (name && !this.#erased) await this.context.env.storage.set(name, saved);
  }

  /** @param {Outgoing} item */
  async #forget(item) {
    const name = this.#names.get(item);
    if (name) await this.context.env.storage.delete(name);
  }
}
