// @ts-check
import { Chat } from "./chat.js";
import { Emitter } from "./emitter.js";
import { backoff } from "./env.js";
import { asWindiError } from "./errors.js";

/** @import {ChatObject, ChatList, Change, Changes, Frame, ListedChat, Message} from "./types.js" */

/** How long a push that is missing may still be on its way. */
const HOLE_MS = 500;
/** Further behind than this, a chat is begun anew instead of caught up. */
const FAR = 1_000;
/** A ping with more chats than this does not fit into a frame. */
const PING_CHATS = 400;
const PARALLEL = 4;
const REVISED = new Set([
  "new_message",
  "message_edited",
  "message_deleted",
  "message_reacted",
  "chat_created",
  "chat_updated",
  "member_added",
  "member_updated",
  "member_removed",
]);

/**
 * All chats of one person, kept equal to the server's. Emits `replaced` for a chat that has been begun anew after the
 * database was restored: what was known about its messages does not count any more.
 * @extends {Emitter<{changed: string, message: Message, replaced: string, removed: {chat: Chat, by: string | null}}>}
 */
export class Replicas extends Emitter {
  /** @type {Map<string, Chat>} */
  chats = new Map();
  /** Whether the list has been read since the session began. */
  listed = false;
  /** @type {Map<string, {timer: any, running: boolean, again: boolean, attempt: number, refused: number,
   *   target: number}>} */
  #syncs = new Map();
  /** @type {Array<() => void>} */
  #queue = [];
  #running = 0;
  /** @type {Promise<void> | null} */
  #listing = null;
  #listAgain = false;
  #listAttempt = 0;
  #listRefused = 0;
  #stopped = false;

  /**
   * @param {import("./env.js").Environment} env
   * @param {import("./session.js").Session} session
   * @param {string} me
   * @param {number} windowLimit
   */
  constructor(env, session, me, windowLimit) {
    super();
    this.env = env;
    this.session = session;
    this.me = me;
    this.windowLimit = windowLimit;
  }

  stop() {
    this.#stopped = true;
    for (const { timer } of this.#syncs.values()) this.env.clock.clearTimeout(timer);
    this.#syncs.clear();
  }

  /** A push, or an answer that is one. @param {Frame} frame */
  frame({ type, data }) {
    if (this.#stopped) return;
    if (REVISED.has(type)) this.change(/** @type {Change} */ ({ type, data }));
    else if (type === "message_read") {
      if (this.chats.get(data.chat_id)?.receipt(data)) this.emit("changed", data.chat_id);
    } else if (type === "chat_dissolved") this.#drop(data.chat_id, data.by);
    else if (type === "chat_settings") this.set(data);
    else if (type === "chat_joined") this.#joined(data.chat);
    else if (type === "pong") this.#pong(data.stale);
  }

  /** @param {Change} change */
  change(change) {
    const id = String(change.data["chat_id"]);
    const existing = this.chats.get(id);
    const chat = existing ?? new Chat(id, this.me, this.windowLimit);
    // Somebody added to an old chat fetches it; only a new chat begins with the first revision.
    const outcome = chat.receive(change);
    if (outcome === "hole") return this.sync(id, { delay: HOLE_MS, target: change.data.revision });
    if (outcome === "old") return;
    if (change.type === "member_removed" && change.data["user_id"] === this.me) {
      return this.#drop(id, change.data["by"] ?? null);
    }
    this.chats.set(id, chat);
    if (change.type === "chat_created" && !chat.members) this.sync(id);
    this.emit("changed", id);
    if (change.type === "new_message") this.emit("message", change.data);
  }

  /** What a chat is to this person. @param {import("./contract.d.ts").SettingsChanged} settings */
  set(settings) {
    this.chats.get(settings.chat_id)?.set(settings);
    this.emit("changed", settings.chat_id);
  }

  /** A chat with its members, from an HTTP answer. @param {ChatObject} object @returns {Chat} */
  adopt(object) {
    let chat = this.chats.get(object.id);
    if (!chat) {
      chat = new Chat(object.id, this.me, this.windowLimit);
      chat.begin(object);
      this.chats.set(object.id, chat);
      if (object.last_message_id > 0) this.sync(object.id);
    } else {
      chat.describe(object);
      if (object.revision !== chat.revision) this.sync(object.id);
    }
    this.emit("changed", object.id);
    return chat;
  }

  /**
   * Catches up on a chat, now or after a while. Several wishes become one.
   * @param {string} id
   * @param {{delay?: number, target?: number}} [options] `target` is a revision known to exist
   */
  sync(id, { delay = 0, target = 0 } = {}) {
    if (this.#stopped) return;
    let state = this.#syncs.get(id);
    if (!state) {
      state = { timer: null, running: false, again: false, attempt: 0, refused: 0, target };
      this.#syncs.set(id, state);
    }
    state.target = Math.max(state.target, target);
    if (state.running) {
      // A run brings what is known to exist, unless it began before that.
      if (target === 0) state.again = true;
      return;
    }
    if (delay > 0 && state.timer !== null) return;
    this.env.clock.clearTimeout(state.timer);
    state.timer = this.env.clock.setTimeout(() => this.#enqueue(id), delay);
  }

  /**
   * Reads the list of chats and catches up on those that are behind it. Also repairs receipts that were lost. Whoever
   * asks while it is being read waits until it has been read again.
   */
  list() {
    if (this.#listing) this.#listAgain = true;
    else this.#listing = this.#listAll();
    return this.#listing;
  }

  async #listAll() {
    try {
      do {
        this.#listAgain = false;
        await this.#listOnce();
      } while (this.#listAgain && !this.#stopped);
      this.#listAttempt = this.#listRefused = 0;
    } catch (cause) {
      const error = asWindiError(cause);
      const over = error.code === "no_session" || (error.code === "unauthorized" && ++this.#listRefused > 1);
      if (!over && !this.#stopped) {
        const wait = backoff(this.env.random, this.#listAttempt++, { retryAfter: error.retryAfter });
        this.env.clock.setTimeout(() => void this.list(), wait);
      }
    } finally {
      this.#listing = null;
    }
  }

  async #listOnce() {
    const missing = new Set(this.chats.keys());
    /** @type {string | undefined} */
    let after;
    do {
      const held = new Map([...this.chats].map(([id, { revision }]) => [id, revision]));
      /** @type {ChatList} */
      const page = await this.session.call("GET", "/chats", { query: { limit: 100, after, hidden: "true" } });
      if (this.#stopped) return;
      for (const listed of page.chats) {
        missing.delete(listed.id);
        this.#takeListed(listed, held.get(listed.id) ?? 0);
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
    // A chat that became active while the pages were read may be on none of them: absence is only a reason to ask.
    for (const id of missing) this.sync(id);
    this.listed = true;
    this.emit("changed", "");
  }

  /** @param {ListedChat} listed @param {number} held the revision held when the list was asked for */
  #takeListed(listed, held) {
    let chat = this.chats.get(listed.id);
    if (!chat) this.chats.set(listed.id, (chat = new Chat(listed.id, this.me, this.windowLimit)));
    const before = this.listed ? chat.lastMessage?.id : undefined;
    if (chat.list(listed)) this.sync(listed.id, { target: listed.revision });
    else if (listed.revision < held) this.sync(listed.id);
    this.#tell(chat, before);
    this.emit("changed", listed.id);
  }

  /** What a ping carries. */
  pingData() {
    if (this.chats.size > PING_CHATS) return {};
    return { chats: Object.fromEntries([...this.chats.values()].map((chat) => [chat.id, chat.revision])) };
  }

  /** @param {Record<string, number>} stale */
  #pong(stale) {
    for (const [id, revision] of Object.entries(stale)) {
      const held = this.chats.get(id)?.revision ?? 0;
      // After a ping without chats, those that are up to date are listed too.
      if (revision === 0 ? this.chats.has(id) : revision > held) this.sync(id, { target: revision });
      // Either the database was restored, or a push has overtaken this. The answer tells, if it is asked for now.
      else if (revision < held) this.sync(id);
    }
    // One pong lists a thousand chats at most.
    if (Object.keys(stale).length >= 1_000) void this.list();
  }

  /** @param {ChatObject} object */
  #joined(object) {
    const chat = this.chats.get(object.id);
    if (!chat) return this.sync(object.id);
    chat.describe(object);
    if (object.revision > chat.revision) this.sync(object.id, { delay: HOLE_MS, target: object.revision });
    else if (object.revision < chat.revision) this.sync(object.id);
    this.emit("changed", object.id);
  }

  /** @param {string} id */
  #enqueue(id) {
    const state = this.#syncs.get(id);
    if (!state) return;
    state.timer = null;
    state.running = true;
    this.#queue.push(() => void this.#run(id, state));
    this.#next();
  }

  #next() {
    while (this.#running < PARALLEL) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#running++;
      job();
    }
  }

  /**
   * @param {string} id
   * @param {{running: boolean, again: boolean, attempt: number, refused: number, target: number, timer: any}} state
   */
  async #run(id, state) {
    /** @type {number | null} */
    let wait = null;
    let gaveUp = false;
    const { target } = state;
    state.again = false;
    state.target = 0;
    try {
      await this.#catchUp(id, target);
      state.attempt = state.refused = 0;
    } catch (cause) {
      const error = asWindiError(cause);
      if (error.code === "chat_not_found") this.#drop(id, null);
      else if (error.code !== "no_session" && (error.code !== "unauthorized" || ++state.refused < 2)) {
        wait = backoff(this.env.random, state.attempt++, { retryAfter: error.retryAfter });
      } else gaveUp = true;
    }
    this.#running--;
    state.running = false;
    if (this.#stopped) return;
    const chat = this.chats.get(id);
    if (wait !== null) this.sync(id, { delay: wait });
    else if (gaveUp) this.#syncs.delete(id);
    else if (state.again || chat?.hasHole || state.target > (chat?.revision ?? 0)) this.sync(id, { delay: HOLE_MS });
    else this.#syncs.delete(id);
    this.#next();
  }

  /** @param {string} id @param {number} target */
  async #catchUp(id, target) {
    const known = this.chats.get(id);
    if (!known || known.revision === 0 || target - known.revision > FAR) return this.#begin(id, known);
    await this.#follow(id, known);
    if ((known.lastMessage?.id ?? 0) < known.lastMessageId) await this.#lastMessage(known);
  }

  /** @param {string} id @param {Chat} known */
  async #follow(id, known) {
    for (let more = true; more && !this.#stopped;) {
      const asked = known.revision;
      /** @type {Changes} */
      const page = await this.session.call("GET", `/chats/${id}/changes`, {
        query: { after: asked, limit: 100 },
      });
      if (this.#stopped) return;
      if (page.revision < asked) return this.#again(id, known);
      const before = known.lastMessage?.id;
      known.catchUp(page.chat, page.messages, page.revision);
      this.#tell(known, before);
      more = page.has_more;
      this.emit("changed", id);
      if (more && page.chat.revision - known.revision > FAR) return this.#begin(id, known);
    }
  }

  /** Reports the newest message, if it came by a catch-up. @param {Chat} chat @param {number | undefined} before */
  #tell(chat, before) {
    const message = chat.lastMessage;
    if (message && before !== undefined && message.id > before) this.emit("message", message);
  }

  /** @param {string} id @param {Chat | undefined} known */
  async #begin(id, known) {
    const asked = known?.revision ?? 0;
    /** @type {ChatObject} */
    const object = await this.session.call("GET", `/chats/${id}`);
    if (this.#stopped) return;
    if (known && object.revision < asked) return this.#again(id, known);
    const chat = known ?? this.chats.get(id) ?? new Chat(id, this.me, this.windowLimit);
    chat.begin(object);
    this.chats.set(id, chat);
    this.emit("changed", id);
    if (object.last_message_id > 0) await this.#lastMessage(chat);
  }

  /**
   * An answer was older than what is held. If another one is too, the database has been restored, and the chat is begun
   * anew.
   * @param {string} id @param {Chat} known
   */
  async #again(id, known) {
    const asked = known.revision;
    /** @type {ChatObject} */
    const object = await this.session.call("GET", `/chats/${id}`);
    if (this.#stopped || this.chats.get(id) !== known) return;
    if (object.revision >= asked) {
      known.describe(object);
      if (object.revision > known.revision) this.sync(id);
      return;
    }
    const chat = new Chat(id, this.me, this.windowLimit);
    chat.begin(object);
    this.chats.set(id, chat);
    this.emit("replaced", id);
    this.emit("changed", id);
    if (object.last_message_id > 0) await this.#lastMessage(chat);
  }

  /** The newest message, for the list. @param {Chat} chat */
  async #lastMessage(chat) {
    const query = { before: "latest", limit: 1 };
    /** @type {import("./types.js").HistoryPage} */
    const page = await this.session.call("GET", `/messages/history/${chat.id}`, { query });
    for (const message of page.messages) chat.showLast(message);
    this.emit("changed", chat.id);
  }

  /** @param {string} id @param {string | null} by who removed this person, if that is known */
  #drop(id, by) {
    const chat = this.chats.get(id);
    if (!chat) return;
    this.chats.delete(id);
    this.emit("removed", { chat, by });
    this.emit("changed", id);
  }
}
