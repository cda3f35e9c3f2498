// @ts-check
import { Refusal } from "./accounts.js";
import { Chats } from "./chats.js";

/**
 * What the messenger does according to docs/protocol.md, as far as the client's tests need it. No network and no
 * faults: `network.js` puts those in between.
 */

/** @import {Device} from "./accounts.js" */

export class Server extends Chats {
  /** @param {any} user @param {string} chatId @param {string} id */
  addMember(user, chatId, id) {
    const { chat, role } = this.seat(user, chatId);
    if (role === "member" || chat.kind !== "group") throw new Refusal(403, "forbidden");
    if (!chat.members.has(id)) {
      const last_read_id = chat.former.get(id) ?? chat.messages.length;
      chat.members.set(id, { role: "member", joined_at: this.time(), last_read_id });
      const event = { type: "member_added", user_id: id };
      this.revise(user, chatId, "member_added", { member: this.member(chat, id) }, [], event);
    }
    return this.member(chat, id);
  }

  /** @param {any} user @param {string} chatId @param {string} id */
  removeMember(user, chatId, id) {
    const { chat, role } = this.seat(user, chatId);
    if (!chat.members.has(id)) throw new Refusal(404, "member_not_found");
    if (id !== user.id && role !== "owner") throw new Refusal(403, "forbidden");
    const wasOwner = chat.members.get(id).role === "owner";
    chat.former.set(id, chat.members.get(id).last_read_id);
    chat.members.delete(id);
    for (const device of this.devices) if (device.user.id === id) device.joined.delete(chatId);
    const event = id === user.id ? { type: "member_left" } : { type: "member_removed", user_id: id };
    this.revise(user, chatId, "member_removed", { user_id: id }, [id], event);
    const heir = [...chat.members.keys()][0];
    if (wasOwner && heir) {
      chat.members.get(heir).role = "owner";
      const risen = { type: "role_changed", user_id: heir, role: "owner" };
      this.revise(user, chatId, "member_updated", { member: this.member(chat, heir) }, [], risen);
    }
    return { chat_id: chatId, revision: chat.revision };
  }

  /** @param {any} user @param {string} chatId @param {string} name */
  rename(user, chatId, name) {
    const { chat, role } = this.seat(user, chatId);
    if (role === "member" || chat.kind !== "group") throw new Refusal(403, "forbidden");
    chat.name = name;
    this.revise(user, chatId, "chat_updated", {}, [], { type: "group_renamed", name });
    return this.detail(chat);
  }

  /** @param {any} user @param {string} chatId @param {string | null} picture_id */
  setPicture(user, chatId, picture_id) {
    const { chat, role } = this.seat(user, chatId);
    if (role === "member" || chat.kind !== "group") throw new Refusal(403, "forbidden");
    if (picture_id) this.attached(user, [picture_id]);
    chat.picture_id = picture_id;
    this.revise(user, chatId, "chat_updated", {}, [], { type: "picture_changed" });
    return this.detail(chat);
  }

  /** @param {any} user @param {string | null} avatar_id */
  setAvatar(user, avatar_id) {
    if (avatar_id) this.attached(user, [avatar_id]);
    if (avatar_id) user.avatar_id = avatar_id;
    else delete user.avatar_id;
    for (const chat of this.chats.values()) {
      if (!chat.members.has(user.id)) continue;
      this.revise(user, chat.id, "member_updated", { member: this.member(chat, user.id) }, [], null);
    }
    return user;
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
      messages: page.map((/** @type {any} */ message) => this.seen(user, message)),
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
      messages: chat.messages.slice(from, to).map((/** @type {any} */ message) => this.seen(user, message)),
      has_more,
      last_message_id: total,
      revision: chat.revision,
    };
  }

  /** Who of the people in one's chats is there. @param {any} user */
  presence(user) {
    const mine = [...this.chats.values()].filter((chat) => chat.members.has(user.id));
    const ids = new Set(mine.flatMap((chat) => [...chat.members.keys()]).filter((id) => id !== user.id));
    const online = new Set([...this.devices].map((device) => device.user.id));
    return [...ids].map((id) => ({ user_id: id, online: online.has(id), last_seen_at: null }));
  }

  /** @param {any} chat @param {string} id */
  unread(chat, id) {
    const unread = chat.messages.slice(chat.members.get(id).last_read_id);
    const mentioning = unread.filter((/** @type {any} */ m) => m.mentions?.includes(id));
    return {
      unread_count: unread.filter((/** @type {any} */ m) => m.text !== null).length,
      unread_mentions: mentioning.length,
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
        ...this.unread(chat, user.id),
        muted_until: null,
        archived: false,
        marked_unread: false,
        last_message: last && this.seen(user, last),
      };
    });
    return { chats, next: start + limit < mine.length ? String(start + limit) : null };
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
    if (a === "files" && method === "GET") return this.links(String(query.get("ids")).split(","));
    if (a === "files") return c === "done" ? this.finish(user, b) : this.announce(user, body);
    if (a === "users" && method === "PATCH") return this.setAvatar(user, body.avatar_id);
    if (a === "users" && b === "blocked") return { users: [] };
    if (a === "users" && b === "presence") return { presence: this.presence(user) };
    if (a === "users")
      return {
        users: String(query.get("ids"))
          .split(",")
          .map((id) => this.person(id)),
      };
    if (a === "messages" && b === "history") return this.history(user, c, query);
    if (a === "messages" && d === "reactions") return this.react(user, b, Number(c), body.reactions);
    if (a === "messages" && d === "pin") return this.pin(user, b, Number(c), method === "PUT");
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
    if (method === "PATCH" && "picture_id" in body) return this.setPicture(user, b, body.picture_id);
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
