// @ts-check

/** @import {Status, Frame} from "./types.js" */

/** An indicator fades by itself: the stop may be lost. */
const FADE_MS = 6_000;
/** The server passes a start on once in three seconds. */
const REPEAT_MS = 4_000;
/** A device learns who is online, and who types, only in the chats it has joined. */
const JOINED_CHATS = 20;
const JOINED_LIMIT = 40;

/**
 * @typedef {object} PresenceContext
 * @property {import("./env.js").Environment} env
 * @property {import("./connection.js").Connection} connection
 * @property {() => string[]} recent ids of the chats, the latest active first
 * @property {(chatId: string) => void} changed `""` stands for all chats
 */

/** Who is online and who is typing. */
export class Presence {
  /** @type {Map<string, Status>} */
  #statuses = new Map();
  /** @type {Map<string, Map<string, any>>} */
  #typing = new Map();
  /** Chats joined on the current socket, the least recently wanted first. @type {Set<string>} */
  #joined = new Set();
  /** Chats that are open on the screen. @type {Set<string>} */
  #open = new Set();
  #joining = false;
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
  }

  /** What was known about others is out of date. */
  disconnected() {
    this.#statuses.clear();
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
  }

  /** Joins the chats that are open and the latest active ones, one after the other. */
  async join() {
    if (this.#joining) return;
    this.#joining = true;
    const { connection } = this.context;
    try {
      for (;;) {
        const wanted = [...this.#open, ...this.context.recent().slice(0, JOINED_CHATS)];
        const next = wanted.find((id) => !this.#joined.has(id));
        if (next === undefined || !connection.online) break;
        this.#joined.add(next);
        await connection.request("joinChat", { chat_id: next }).catch((error) => {
          if (error.temporary) this.#joined.delete(next);
          // Without an answer the socket is in doubt; the next one joins again.
          if (error.temporary) throw error;
        });
        this.#leaveOld(wanted);
      }
    } catch {
      // The next socket, ping or chat tries again.
    } finally {
      this.#joining = false;
    }
  }

  /** @param {string[]} wanted */
  #leaveOld(wanted) {
    for (const id of this.#joined) {
      if (this.#joined.size <= JOINED_LIMIT) return;
      if (wanted.includes(id)) continue;
      this.#joined.delete(id);
      this.context.connection.request("leaveChat", { chat_id: id }).catch(() => {});
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
