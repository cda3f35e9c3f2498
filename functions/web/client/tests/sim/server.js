// @ts-check
import { Accounts, Refusal } from "./accounts.js";

/**
 * What the messenger does according to docs/protocol.md, as far as the client's tests need it. No network and no
 * faults: `network.js` puts those in between.
 */

/** @import {Device} from "./accounts.js" */

export class Server extends Accounts {
  /** @type {Map<string, any>} */ chats = new Map();

  /** @param {any} user @param {string} kind @param {string | null} name @param {string[]} others */
  createChat(user, kind, name, others) {
    const members = new Map();
    const chat = {
      id: this.id("c"),
      kind,
      name,
      created_by: user.id,
      created_at: this.time(),
      revision: 1,
      members,
      messages: /** @type {any[]} */ ([]),
    };
    for (const id of [user.id, ...others]) {
      members.set(id, {
        role: kind === "group" && id === user.id ? "owner" : "member",
        joined_at: this.time(),
        last_read_id: 0,
      });
    }
    this.chats.set(chat.id, chat);
    this.tell(chat, {
      type: "chat_created",
      data: { chat_id: chat.id, revision: 1, by: user.id, chat: this.detail(chat) },
    });
    return chat;
  }

  /** What a backup of the chats has. */
  backup() {
    return structuredClone(this.chats);
  }

  /** The chats are as they were, and nobody is notified. @param {Map<string, any>} backup */
  restore(backup) {
    this.chats = structuredClone(backup);
  }

  /** @param {any} chat */
  detail(chat) {
    return { ...this.object(chat), members: [...chat.members.keys()].map((id) => this.member(chat, id)) };
  }

  /** @param {any} chat */
  object(chat) {
    const { id, kind, name, created_by, created_at, revision } = chat;
    return { id, kind, name, created_by, created_at, revision, last_message_id: chat.messages.length };
  }

  /** @param {any} chat @param {string} id */
  member(chat, id) {
    const { name, username } = this.users.get(id);
    return { id, name, username, ...chat.members.get(id) };
  }

  /** @param {any} user @param {string} id */
  seat(user, id) {
    const chat = this.chats.get(id);
    if (!chat?.members.has(user.id)) throw new Refusal(404, "chat_not_found");
    return { chat, role: chat.members.get(user.id).role };
  }

  /** @param {any} chat @param {any} frame @param {string[]} [extra] @param {Device} [except] */
  tell(chat, frame, extra = [], except) {
    const ids = new Set([...chat.members.keys(), ...extra]);
    for (const device of this.devices) {
      if (ids.has(device.user.id) && device !== except) device.push(structuredClone(frame));
    }
  }

  /** @param {any} user @param {any} data @param {Device} [device] */
  send(user, data, device) {
    const { chat } = this.seat(user, data.chat_id);
    const stored = chat.messages.find(
      (/** @type {any} */ m) => m.sender_id === user.id && m.client_message_id === data.client_message_id,
    );
    if (stored) {
      this.tell(chat, { type: "new_message", data: stored }, [], device);
      return stored;
    }
    const message = {
      chat_id: chat.id,
      id: chat.messages.length + 1,
      sender_id: user.id,
      text: data.text,
      timestamp: this.time(),
      edited_at: null,
      deleted_at: null,
      is_read: false,
      client_message_id: data.client_message_id,
      revision: ++chat.revision,
    };
    chat.messages.push(message);
    chat.members.get(user.id).last_read_id = message.id;
    this.tell(chat, { type: "new_message", data: message }, [], device);
    return message;
  }

  /** @param {any} user @param {string} chatId @param {number} id @param {string | null} text null to delete */
  alter(user, chatId, id, text) {
    const { chat } = this.seat(user, chatId);
    const message = chat.messages[id - 1];
    if (!message) throw new Refusal(404, "message_not_found");
    if (message.sender_id !== user.id) throw new Refusal(403, "forbidden");
    if (message.deleted_at) {
      if (text === null) return message;
      throw new Refusal(409, "message_deleted");
    }
    Object.assign(message, { text, revision: ++chat.revision });
    message[text === null ? "deleted_at" : "edited_at"] = this.time();
    this.tell(chat, { type: text === null ? "message_deleted" : "message_edited", data: message });
    return message;
  }

  /** @param {any} user @param {string} chatId @param {number} id */
  read(user, chatId, id) {
    const { chat } = this.seat(user, chatId);
    if (id < 1 || id > chat.messages.length) throw new Refusal(404, "message_not_found");
    const member = chat.members.get(user.id);
    const moved = id > member.last_read_id;
    member.last_read_id = Math.max(id, member.last_read_id);
    const data = { chat_id: chat.id, user_id: user.id, message_id: member.last_read_id, read_at: this.time() };
    if (moved) this.tell(chat, { type: "message_read", data });
    return data;
  }

  /** @param {any} user @param {string} chatId @param {string} type @param {any} extra @param {string[]} [also] */
  revise(user, chatId, type, extra, also) {
    const chat = this.chats.get(chatId);
    chat.revision++;
    const chatObject = type === "chat_updated" ? { chat: this.object(chat) } : {};
    this.tell(
      chat,
      { type, data: { chat_id: chatId, revision: chat.revision, by: user.id, ...extra, ...chatObject } },
      also,
    );
  }

  /** @param {any} user @param {string} chatId @param {string} id */
  addMember(user, chatId, id) {
    const { chat, role } = this.seat(user, chatId);
    if (role === "member" || chat.kind !== "group") throw new Refusal(403, "forbidden");
    if (!chat.members.has(id)) {
      chat.members.set(id, { role: "member", joined_at: this.time(), last_read_id: 0 });
      this.revise(user, chatId, "member_added", { member: this.member(chat, id) });
    }
    return this.member(chat, id);
  }

  /** @param {any} user @param {string} chatId @param {string} id */
  removeMember(user, chatId, id) {
    const { chat, role } = this.seat(user, chatId);
    if (!chat.members.has(id)) throw new Refusal(404, "member_not_found");
    if (id !== user.id && role !== "owner") throw new Refusal(403, "forbidden");
    const wasOwner = chat.members.get(id).role === "owner";
    chat.members.delete(id);
    for (const device of this.devices) if (device.user.id === id) device.joined.delete(chatId);
    this.revise(user, chatId, "member_removed", { user_id: id }, [id]);
    const heir = [...chat.members.keys()][0];
    if (wasOwner && heir) {
      chat.members.get(heir).role = "owner";
      this.revise(user, chatId, "member_updated", { member: this.member(chat, heir) });
    }
    return { chat_id: chatId, revision: chat.revision };
  }

  /** @param {any} user @param {string} chatId @param {string} name */
  rename(user, chatId, name) {
    const { chat, role } = this.seat(user, chatId);
    if (role === "member" || chat.kind !== "group") throw new Refusal(403, "forbidden");
    chat.name = name;
    this.revise(user, chatId, "chat_updated", {});
    return this.detail(chat);
  }

  // Reading

  /** @param {any} user @param {string} chatId @param {number} after @param {number} limit */
  changes(user, chatId, after, limit) {
    const { chat } = this.seat(user, chatId);
    const changed = chat.messages.filter((/** @type {any} */ m) => m.revision > after);
    changed.sort((/** @type {any} */ a, /** @type {any} */ b) => a.revision - b.revision);
    const page = changed.slice(0, limit);
    const has_more = changed.length > limit;
    return {
      chat: this.detail(chat),
      messages: page,
      revision: has_more ? page[limit - 1].revision : chat.revision,
      has_more,
    };
  }

  /** @param {any} user @param {string} chatId @param {URLSearchParams} query */
  history(user, chatId, query) {
    const { chat } = this.seat(user, chatId);
    const limit = Number(query.get("limit") ?? 50);
    const before = query.get("before");
    const total = chat.messages.length;
    let from, to, has_more;
    if (before !== null) {
      to = before === "latest" ? total : Math.min(total, Number(before) - 1);
      from = Math.max(0, to - limit);
      has_more = from > 0;
    } else {
      from = Number(query.get("after") ?? 0);
      to = Math.min(total, from + limit);
      has_more = to < total;
    }
    return {
      chat_id: chatId,
      messages: chat.messages.slice(from, to),
      has_more,
      last_message_id: total,
      revision: chat.revision,
    };
  }

  /** @param {any} user @param {URLSearchParams} query */
  list(user, query) {
    const mine = [...this.chats.values()]
      .filter((chat) => chat.members.has(user.id))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const start = Number(query.get("after") ?? 0);
    const limit = Math.min(2, Number(query.get("limit") ?? 50));
    const chats = mine.slice(start, start + limit).map((chat) => {
      const { role, last_read_id } = chat.members.get(user.id);
      const other = [...chat.members.keys()].find((id) => id !== user.id);
      const peer = chat.kind === "private" && other ? this.person(other) : null;
      const last = chat.messages[chat.messages.length - 1] ?? null;
      return {
        ...this.object(chat),
        peer,
        role,
        last_read_id,
        unread_count: chat.messages.length - last_read_id,
        last_message: last,
      };
    });
    return { chats, next: start + limit < mine.length ? String(start + limit) : null };
  }

  /** @param {string} id */
  person(id) {
    const { name, username } = this.users.get(id);
    return { id, name, username };
  }

  // The two faces

  /**
   * @param {string} method
   * @param {URL} url
   * @param {any} body
   * @param {string | undefined} token
   * @returns {{status: number, body: any}}
   */
  http(method, url, body, token) {
    try {
      const answer = this.route(method, url.pathname.split("/").slice(1), url.searchParams, body, token);
      return { status: 200, body: structuredClone(answer) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, body: { code: error.code, message: error.code, request_id: "x" } };
    }
  }

  /**
   * @param {string} method
   * @param {string[]} path
   * @param {URLSearchParams} query
   * @param {any} body
   * @param {string | undefined} token
   * @returns {any}
   */
  route(method, path, query, body, token) {
    const [a = "", b = "", c = "", d = ""] = path;
    if (a === "auth" && b === "login") {
      const user = [...this.users.values()].find((other) => other.username === body.username);
      const session = { id: this.id("s"), user };
      this.sessions.set(session.id, session);
      return this.issue(session);
    }
    if (a === "auth" && b === "refresh") return this.refresh(body.refresh_token);
    const session = this.authorize(token);
    const { user } = session;
    if (a === "auth" && b === "me") return user;
    if (a === "auth" && b === "logout") return void this.endSession(session, "session_ended");
    if (a === "users")
      return {
        users: String(query.get("ids"))
          .split(",")
          .map((id) => this.person(id)),
      };
    if (a === "messages" && b === "history") return this.history(user, c, query);
    if (a === "messages" && method === "POST" && d === "read") return this.read(user, b, Number(c));
    if (a === "messages" && method === "POST") return this.send(user, body);
    if (a === "messages") return this.alter(user, b, Number(c), method === "PATCH" ? body.text : null);
    if (a !== "chats") throw new Refusal(404, "not_found");
    if (!b)
      return method === "GET"
        ? this.list(user, query)
        : this.detail(this.createChat(user, body.kind, body.name ?? null, body.member_ids ?? [body.user_id]));
    if (c === "changes") return this.changes(user, b, Number(query.get("after")), Number(query.get("limit")));
    if (c === "members" && method === "POST") return this.addMember(user, b, body.user_id);
    if (c === "members") return this.removeMember(user, b, d);
    if (method === "PATCH") return this.rename(user, b, body.name);
    return this.detail(this.seat(user, b).chat);
  }

  /** @param {Device} device @param {any} frame @returns {any} the answer, if there is one */
  frame(device, { action, data, request_id }) {
    const answer = (/** @type {string} */ type, /** @type {any} */ value) => ({
      type,
      data: structuredClone(value),
      request_id,
    });
    const { user } = device;
    try {
      if (action === "sendMessage") return answer("new_message", this.send(user, data, device));
      if (action === "markRead") return answer("message_read", this.read(user, data.chat_id, data.message_id));
      if (action === "ping") return answer("pong", { stale: this.stale(user, data.chats ?? {}) });
      if (action === "leaveChat") return answer("chat_left", data);
      if (action === "typing") return undefined;
      const { chat } = this.seat(user, data.chat_id);
      device.joined.add(chat.id);
      const online = (/** @type {string} */ id) => [...this.devices].some((other) => other.user.id === id);
      const presence = [...chat.members.keys()].map((id) => ({ user_id: id, online: online(id), last_seen_at: null }));
      return answer("chat_joined", { chat: this.detail(chat), presence });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return answer("error", { code: error.code, message: error.code, request_id, action });
    }
  }

  /** @param {any} user @param {Record<string, number>} held */
  stale(user, held) {
    /** @type {Record<string, number>} */
    const stale = {};
    for (const chat of this.chats.values()) {
      if (chat.members.has(user.id) && chat.revision !== (held[chat.id] ?? 0)) stale[chat.id] = chat.revision;
    }
    for (const id of Object.keys(held)) if (!this.chats.get(id)?.members.has(user.id)) stale[id] = 0;
    return stale;
  }
}
