// @ts-check

/** @import {Status, Frame} from "./types.js" */

/** An indicator fades by itself: the stop may be lost. */
const FADE_MS = 6_000;
/** The server passes a start on once in three seconds. */
const REPEAT_MS = 4_000;
/**
 * @typedef {object} PresenceContext
 * @property {import("./env.js").Environment} env
 * @property {import("./session.js").Session} session
 * @property {import("./connection.js").Connection} connection
 * @property {(chatId: string) => void} changed `""` stands for all chats
 */

/** Who is online and who is typing. */
export class Presence {
  /** @type {Map<string, Status>} */
  #statuses = new Map();
  /** @type {Map<string, Map<string, any>>} */
  #typing = new Map();
  /** Chats joined on the current socket. @type {Set<string>} */
  #joined = new Set();
  /** Chats that are open on the screen. @type {Set<string>} */
  #open = new Set();
  #joining = false;
  #asking = false;
  #again = false;
  /** Goes up when what is known is forgotten. */
  #generation = 0;
  /** @type {{chatId: string, timer: any, sentAt: number} | null} */
  #mine = null;

  /** @param {PresenceContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {string} userId @returns {Status | undefined} undefined if nothing is known */
  status(userId) {
    return this.#statuses.get(userId);
  }

  /** @param {string} chatId @returns {string[]} ids of those who are typing */
  typists(chatId) {
    return [...(this.#typing.get(chatId)?.keys() ?? [])];
  }

  /** A new socket has joined nothing yet. */
  connected() {
    this.#joined.clear();
    void this.join();
    void this.ask();
  }

  /** Asks who of all chats' people is online; from then on, the server tells. */
  async ask() {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    this.#again = false;
    const generation = this.#generation;
    try {
      /** @type {import("./contract.d.ts").PresenceList} */
      const { presence } = await this.context.session.call("GET", "/users/presence");
      if (generation === this.#generation) {
        for (const status of presence) this.#statuses.set(status.user_id, status);
        this.context.changed("");
      }
    } catch {
      // The next socket asks again.
    } finally {
      this.#asking = false;
      if (this.#again || generation !== this.#generation) if (this.context.connection.online) void this.ask();
    }
  }

  /** What was known about others is out of date. */
  disconnected() {
    this.#statuses.clear();
    this.#generation++;
    for (const chatId of this.#typing.keys()) this.#quiet(chatId);
    this.context.changed("");
  }

  /** @param {string} chatId */
  open(chatId) {
    this.#open.add(chatId);
    this.#joined.delete(chatId);
    void this.join();
  }

  /** @param {string} chatId */
  close(chatId) {
    this.#open.delete(chatId);
    if (!this.#joined.delete(chatId)) return;
    this.context.connection.request("leaveChat", { chat_id: chatId }).catch(() => {});
  }

  /** Joins the chats that are open, one after the other: in a large group, only then it is told who types. */
  async join() {
    if (this.#joining) return;
    this.#joining = true;
    const { connection } = this.context;
    try {
      for (;;) {
        const next = [...this.#open].find((id) => !this.#joined.has(id));
        if (next === undefined || !connection.online) break;
        this.#joined.add(next);
        await connection.request("joinChat", { chat_id: next }).catch((error) => {
          if (error.temporary) this.#joined.delete(next);
          // Without an answer the socket is in doubt; the next one joins again.
          if (error.temporary) throw error;
        });
      }
    } catch {
      // The next socket, ping or chat tries again.
    } finally {
      this.#joining = false;
    }
  }

  /** @param {Frame} frame */
  frame({ type, data }) {
    if (type === "user_status") {
      this.#statuses.set(data.user_id, data);
      this.context.changed("");
    } else if (type === "chat_joined") {
      for (const status of data.presence) this.#statuses.set(status.user_id, status);
      this.context.changed(data.chat.id);
    } else if (type === "typing_indicator") {
      if (data.is_typing) this.#types(data.chat_id, data.user_id);
      else this.#quiet(data.chat_id, data.user_id);
    } else if (type === "new_message") {
      this.#quiet(data.chat_id, data.sender_id);
    }
  }

  /** @param {string} chatId @param {string} userId */
  #types(chatId, userId) {
    let chat = this.#typing.get(chatId);
    if (!chat) this.#typing.set(chatId, (chat = new Map()));
    this.context.env.clock.clearTimeout(chat.get(userId));
    chat.set(
      userId,
      this.context.env.clock.setTimeout(() => this.#quiet(chatId, userId), FADE_MS),
    );
    this.context.changed(chatId);
  }

  /** @param {string} chatId @param {string} [userId] everybody, if left out */
  #quiet(chatId, userId) {
    const chat = this.#typing.get(chatId);
    for (const id of userId === undefined ? [...(chat?.keys() ?? [])] : [userId]) {
      if (!chat?.has(id)) continue;
      this.context.env.clock.clearTimeout(chat.get(id));
      chat.delete(id);
      this.context.changed(chatId);
    }
  }

  /**
   * This person is typing, or has stopped. Call it on every keystroke.
   * @param {string} chatId
   * @param {boolean} typing
   */
  mine(chatId, typing) {
    const { clock } = this.context.env;
    const { connection } = this.context;
    const before = this.#mine;
    if (before && (!typing || before.chatId !== chatId)) {
      clock.clearTimeout(before.timer);
      this.#mine = null;
      connection.post("typing", { chat_id: before.chatId, is_typing: false });
    }
    if (!typing) return;
    const again = this.#mine;
    if (again) clock.clearTimeout(again.timer);
    const due = !again || clock.now() - again.sentAt >= REPEAT_MS;
    if (due) connection.post("typing", { chat_id: chatId, is_typing: true });
    this.#mine = {
      chatId,
      timer: clock.setTimeout(() => this.mine(chatId, false), FADE_MS),
      sentAt: due ? clock.now() : again.sentAt,
    };
  }

  stop() {
    for (const chat of this.#typing.values())
      for (const timer of chat.values()) this.context.env.clock.clearTimeout(timer);
    this.#typing.clear();
    if (this.#mine) this.context.env.clock.clearTimeout(this.#mine.timer);
    this.#mine = null;
  }
}
