// @ts-check
import { Calls } from "./calls.js";
import { Emitter } from "./emitter.js";
import { environment } from "./env.js";
import { again } from "./errors.js";
import { Login } from "./login.js";
import { Session } from "./session.js";

/** @import {Account, FileObject, Message} from "./types.js" */
/** @import {Chat} from "./chat.js" */

const WINDOW = 200;
/** Windows kept for chats that are not open, and how much of each. */
const WARM_CHATS = 8;
const WARM_MESSAGES = 50;

/**
 * What a UI listens to. `chat` says which chat is to be drawn again; `""` stands for all of them.
 * @typedef {object} ClientEvents
 * @property {string} chat
 * @property {Message} message a new message, from anybody
 * @property {{chat: Chat, by: string | null}} removed this person is not in the chat any more
 * @property {import("./connection.js").ConnectionState} connection
 * @property {Account | null} session somebody has logged in, or nobody is
 * @property {import("./session.js").EndReason} ended why the session is over
 */

/**
 * One person on one device.
 * @extends {Emitter<ClientEvents>}
 */
export class Client extends Emitter {
  /** @type {Login | null} */
  #login = null;
  /** Chats on the screen. @type {Set<string>} */
  #open = new Set();
  /** Chats that were open, the longest ago first. @type {Set<string>} */
  #warm = new Set();

  /**
   * @param {object} options
   * @param {string} options.url the HTTP API
   * @param {string | ((again: boolean) => Promise<string>)} options.socketUrl the WebSocket, or how to find out;
   *   `again` if the last answer did not work
   * @param {Partial<import("./env.js").Environment>} [options.env]
   * @param {number} [options.windowLimit] how many messages of an open chat are kept
   */
  constructor({ url, socketUrl, env, windowLimit = WINDOW }) {
    super();
    this.env = environment(env);
    this.session = new Session(this.env, url);
    this.socketUrl = typeof socketUrl === "string" ? async () => socketUrl : socketUrl;
    this.windowLimit = windowLimit;
    this.calls = new Calls(this.session);
    this.session.on("ended", (reason) => {
      this.#login?.stop();
      this.#login = null;
      this.#open.clear();
      this.emit("ended", reason);
      this.emit("session", null);
    });
    const { channel } = this.env;
    if (channel) channel.onmessage = ({ data }) => void this.#told(data);
  }

  /** Takes up the session of an earlier visit. @returns {Promise<Account | null>} */
  async start() {
    const account = await this.session.restore();
    if (account) await this.#begin(account);
    return account;
  }

  /** @param {string} login a username or an e-mail address @param {string} password @returns {Promise<Account>} */
  async login(login, password) {
    const account = await this.session.login(login, password);
    await this.#begin(account);
    return account;
  }

  /** @param {import("./contract.d.ts").Registration} fields @returns {Promise<Account>} */
  async register(fields) {
    await this.calls.register(fields);
    return this.login(fields.email, fields.password);
  }

  /** Ends the session and erases what this person left on the device, unsent messages and drafts included. */
  async logout() {
    try {
      await this.#forget(this.#login, this.session.loginId);
    } finally {
      await this.session.logout();
    }
  }

  /** Deletes this person's account, and erases what is on the device. @param {string} password */
  async deleteAccount(password) {
    // The server may end the session before it answers.
    const [login, id] = [this.#login, this.session.loginId];
    await this.calls.deleteAccount(password);
    await this.#forget(login, id);
    await this.session.end("logged_out");
  }

  /** Also in other tabs. @param {Login | null} login @param {string | null} login_id */
  async #forget(login, login_id) {
    if (login_id) this.env.channel?.postMessage({ type: "logged_out", login_id });
    await this.#erase(login);
  }

  /** Erases drafts and unsent messages. Nothing of this login is written afterwards. @param {Login | null} login */
  async #erase(login = this.#login) {
    login?.stop();
    await Promise.allSettled([login?.outbox.clear(), login?.drafts.clear()]);
  }

  /** Another tab has logged out. @param {{type?: unknown, login_id?: unknown} | null} message */
  async #told(message) {
    if (message?.type !== "logged_out" || message.login_id !== this.session.loginId) return;
    await this.#erase();
    await this.session.end("logged_out");
  }

  /** Stops everything without ending the session. */
  stop() {
    this.#login?.stop();
    this.#login = null;
  }

  /** @param {Account} account */
  async #begin(account) {
    this.#login?.stop();
    const login = (this.#login = new Login(this, account));
    // A storage that fails must not keep anybody from logging in.
    await login.drafts.restore().catch(() => {});
    await login.outbox.restore().catch(() => {});
    if (this.#login !== login) return;
    this.emit("session", account);
    login.connection.start();
    // The list does not have to wait for the socket. It is read again once that is open.
    void login.replicas.list();
  }

  /** @returns {Login} */
  get #current() {
    if (!this.#login) throw new Error("nobody is logged in");
    return this.#login;
  }

  /** @returns {Account | null} */
  get account() {
    return this.#login?.own.account ?? null;
  }

  /** This person's account, and whom they have blocked. */
  get own() {
    return this.#current.own;
  }

  /** Uploads, and where files are read. */
  get files() {
    return this.#current.files;
  }

  get connection() {
    return this.#login?.connection.state ?? "stopped";
  }

  /** When the next attempt to connect is made, in milliseconds; null unless one is planned. */
  get retryAt() {
    return this.#login?.connection.retryAt ?? null;
  }

  /**
   * Connects again, also after `displaced`, which pushes out another device. Call it only if the person asks for it.
   */
  connect() {
    this.#login?.connection.start();
    this.wake();
  }

  /** The network may be back, or the page is visible again: tries at once what is waiting for its next attempt. */
  wake() {
    this.#login?.connection.wake();
    this.#login?.outbox.wake();
  }

  /** Whether the list of chats has been read. */
  get listed() {
    return this.#login?.replicas.listed ?? false;
  }

  /** @returns {Chat[]} those on the list, the latest active first */
  get chats() {
    const chats = [...(this.#login?.replicas.chats.values() ?? [])].filter((chat) => chat.revision > 0 && !chat.hidden);
    return chats.sort((a, b) =>
      a.activeAt === b.activeAt ? (a.id < b.id ? 1 : -1) : a.activeAt < b.activeAt ? 1 : -1,
    );
  }

  /** @param {string} id @returns {Chat | undefined} */
  chat(id) {
    const chat = this.#login?.replicas.chats.get(id);
    return chat && chat.revision > 0 ? chat : undefined;
  }

  /**
   * Shows a chat: loads its messages and members, and joins it. Begins at `at`, or at the newest message.
   * @param {string} id @param {number} [at]
   */
  async open(id, at) {
    const { presence, replicas, history } = this.#current;
    const chat = this.chat(id);
    if (!chat) return;
    this.#open.add(id);
    this.#warm.delete(id);
    presence.open(id);
    if (!chat.members) replicas.sync(id);
    if (at !== undefined && !(chat.window.loaded && chat.window.get(at))) await history.around(chat, at);
    else if (!chat.window.loaded) await history.latest(chat);
  }

  /** @param {string} id */
  close(id) {
    if (!this.#open.delete(id) || !this.#login) return;
    this.#login.presence.mine(id, false);
    this.#login.presence.close(id);
    this.chat(id)?.window.shrink(WARM_MESSAGES);
    this.#warm.add(id);
    for (const other of this.#warm) {
      if (this.#warm.size <= WARM_CHATS) break;
      this.#warm.delete(other);
      this.chat(other)?.window.reset();
    }
  }

  /** @param {Chat} chat */
  older(chat) {
    return this.#current.history.older(chat);
  }

  /** @param {Chat} chat */
  newer(chat) {
    return this.#current.history.newer(chat);
  }

  /** @param {Chat} chat */
  latest(chat) {
    return this.#current.history.latest(chat);
  }

  /** @param {Chat} chat @param {number} id */
  async around(chat, id) {
    if (!chat.window.get(id)) await this.#current.history.around(chat, id);
  }

  /** @param {string} chatId @param {string} text @param {Message | null} [replyTo] @param {FileObject[]} [files] */
  send(chatId, text, replyTo = null, files = []) {
    this.#current.presence.mine(chatId, false);
    return this.#current.outbox.send(chatId, text, replyTo, files);
  }

  /** Messages of a chat that are not yet among its messages. @param {string} chatId */
  outgoing(chatId) {
    const chat = this.chat(chatId);
    const list = this.#login?.outbox.of(chatId) ?? [];
    if (list.length === 0 || !chat) return list;
    const shown = new Set(chat.window.messages.slice(-list.length - 50).map((message) => message.client_message_id));
    return list.filter((item) => !shown.has(item.key));
  }

  /** @param {import("./outbox.js").Outgoing} item a failed one */
  retry(item) {
    return this.#current.outbox.retry(item);
  }

  /**
   * Its words become the chat's draft, unless there is another.
   * @param {import("./outbox.js").Outgoing} item a failed one
   */
  discard(item) {
    const { drafts, outbox } = this.#current;
    if (item.text && !drafts.get(item.chat_id).trim()) drafts.set(item.chat_id, item.text);
    return outbox.discard(item);
  }

  /** @param {Message} message @param {string} text */
  async edit(message, text) {
    this.#changed("message_edited", await this.calls.edit(message.chat_id, message.id, text));
  }

  /** @param {Message} message */
  async remove(message) {
    this.#changed("message_deleted", await this.calls.remove(message.chat_id, message.id));
  }

  /** Chooses all that this person reacts to a message with. @param {Message} message @param {string[]} reactions */
  async react(message, reactions) {
    this.#changed("message_edited", await this.calls.react(message.chat_id, message.id, reactions));
  }

  /** Sends a copy of a message to another chat. @param {Message} message @param {string} chatId */
  async forward(message, chatId) {
    const key = this.env.key();
    const data = await again(() => this.calls.forward(message, chatId, key));
    this.#login?.replicas.change({ type: "new_message", data });
  }

  /** @param {Message} message @param {boolean} pinned */
  async pin(message, pinned) {
    await this.group(message.chat_id, this.calls.pin(message.chat_id, message.id, pinned));
  }

  /** @param {'message_edited' | 'message_deleted'} type @param {Message} message */
  #changed(type, message) {
    this.#login?.replicas.change({ type, data: message });
  }

  /** This person has read a chat up to a message. @param {Chat} chat @param {number} messageId */
  read(chat, messageId) {
    if (messageId <= chat.lastReadId) return;
    chat.moveCursor(chat.me, messageId);
    this.#current.reads.upTo(chat.id, messageId);
    this.emit("chat", chat.id);
  }

  /**
   * Call it on every keystroke, and with false when there is nothing to send any more.
   * @param {string} chatId @param {boolean} typing
   */
  typing(chatId, typing) {
    this.#login?.presence.mine(chatId, typing);
  }

  /** @param {string} chatId @returns {string[]} ids of those who are typing */
  typists(chatId) {
    return this.#login?.presence.typists(chatId) ?? [];
  }

  /** @param {string} userId */
  status(userId) {
    // Nothing is told of somebody who is blocked any more.
    if (this.#login?.own.isBlocked(userId)) return undefined;
    return this.#login?.presence.status(userId);
  }

  /** @param {string} id */
  person(id) {
    return this.#login?.people.get(id);
  }

  /** @param {string} chatId */
  draft(chatId) {
    return this.#login?.drafts.get(chatId) ?? "";
  }

  /** @param {string} chatId @param {string} text */
  setDraft(chatId, text) {
    this.#login?.drafts.set(chatId, text);
  }

  /** @param {string} userId @returns {Promise<Chat>} */
  async createPrivate(userId) {
    return this.#current.replicas.adopt(await this.calls.createPrivate(userId));
  }

  /** @param {string} name @param {string[]} memberIds @returns {Promise<Chat>} */
  async createGroup(name, memberIds) {
    const key = this.env.key();
    return this.#current.replicas.adopt(await again(() => this.calls.createGroup(name, memberIds, key)));
  }

  /** Joins a group by a link. @param {string} code @returns {Promise<Chat>} */
  async join(code) {
    return this.#current.replicas.adopt(await this.calls.join(code));
  }

  /**
   * Mutes or archives a chat, or marks it as unread, for this person.
   * @param {string} chatId @param {import("./calls.js").SettingsChange} change
   */
  async set(chatId, change) {
    this.#current.replicas.set(await this.calls.set(chatId, change));
  }

  /**
   * A change to a group through `calls`, after which the chat is caught up on: its push may be lost.
   * @template T @param {string} chatId @param {Promise<T>} call @returns {Promise<T>}
   */
  async group(chatId, call) {
    try {
      return await call;
    } finally {
      this.#login?.replicas.sync(chatId);
    }
  }

  /** Asks again what may have been missed. Needed only if pushes of receipts were lost, which have no revision. */
  async resync() {
    const { replicas, presence } = this.#current;
    await replicas.list();
    for (const chat of this.chats) replicas.sync(chat.id);
    presence.connected();
  }
}
