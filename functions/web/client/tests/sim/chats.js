// @ts-check
import { Refusal } from "./accounts.js";
import { Files } from "./files.js";

/** Chats and their messages: what `server.js` changes and reads. */

/** @import {Device} from "./accounts.js" */

export class Chats extends Files {
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
      former: new Map(),
      pinned: /** @type {number[]} */ ([]),
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
    const { id, kind, name, created_by, created_at, revision, picture_id } = chat;
    const last_message_id = chat.messages.length;
    const pins = chat.pinned.length ? { pinned_message_ids: [...chat.pinned] } : {};
    const picture = picture_id ? { picture_id } : {};
    return { id, kind, name, created_by, created_at, revision, last_message_id, ...pins, ...picture };
  }

  /** @param {any} chat @param {string} id */
  member(chat, id) {
    return { ...this.person(id), ...chat.members.get(id) };
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
    const quoted = chat.messages[data.reply_to_id - 1];
    if (data.reply_to_id && (!quoted || quoted.text === null)) throw new Refusal(409, "message_deleted");
    const reply_to = quoted && { id: quoted.id, sender_id: quoted.sender_id, text: quoted.text.slice(0, 200) };
    const files = this.attached(user, data.file_ids ?? []);
    const { text = files.length ? "" : undefined } = data;
    if (text === undefined) throw new Refusal(422, "invalid_field");
    const isMentioned = (/** @type {string} */ id) => text.includes(`@${this.users.get(id).username}`);
    const mentions = [...chat.members.keys()].filter(isMentioned);
    const message = this.write(chat, user, data.client_message_id, {
      kind: "text",
      text,
      ...(files.length ? { files } : {}),
      ...(reply_to ? { reply_to } : {}),
      ...(mentions.length ? { mentions } : {}),
    });
    chat.members.get(user.id).last_read_id = message.id;
    this.tell(chat, { type: "new_message", data: message }, [], device);
    return message;
  }

  /**
   * Adds a message, at the next revision.
   * @param {any} chat @param {any} user @param {string} key @param {any} content
   */
  write(chat, user, key, content) {
    const message = {
      chat_id: chat.id,
      id: chat.messages.length + 1,
      sender_id: user.id,
      timestamp: this.time(),
      edited_at: null,
      deleted_at: null,
      is_read: false,
      client_message_id: key,
      revision: ++chat.revision,
      ...content,
    };
    chat.messages.push(message);
    return message;
  }

  /** The message as one person sees it over HTTP. @param {any} user @param {any} message */
  seen(user, message) {
    const { chosen, ...rest } = message;
    return { ...rest, ...(rest.reactions ? { my_reactions: chosen.get(user.id) ?? [] } : {}) };
  }

  /** @param {any} user @param {string} chatId @param {number} id @param {string[]} reactions */
  react(user, chatId, id, reactions) {
    const { chat } = this.seat(user, chatId);
    const message = chat.messages[id - 1];
    if (!message) throw new Refusal(404, "message_not_found");
    if (message.text === null) throw new Refusal(409, "message_deleted");
    // Not on the wire.
    if (!message.chosen) Object.defineProperty(message, "chosen", { value: new Map(), enumerable: false });
    message.chosen.set(user.id, reactions);
    const counts = new Map();
    for (const emoji of [...message.chosen.values()].flat()) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
    message.revision = ++chat.revision;
    message.reactions = [...counts].map(([emoji, count]) => ({ emoji, count }));
    const { revision } = message;
    const data = { chat_id: chatId, message_id: id, revision, by: user.id, chosen: reactions };
    this.tell(chat, { type: "message_reacted", data: { ...data, reactions: message.reactions } });
    if (counts.size === 0) delete message.reactions;
    return this.seen(user, message);
  }

  /** @param {any} user @param {string} chatId @param {number} id @param {boolean} wanted */
  pin(user, chatId, id, wanted) {
    const { chat } = this.seat(user, chatId);
    if (!chat.messages[id - 1]?.text) throw new Refusal(409, "message_deleted");
    if (chat.pinned.includes(id) !== wanted) {
      chat.pinned = wanted ? [...chat.pinned, id] : chat.pinned.filter((/** @type {number} */ other) => other !== id);
      const event = wanted ? { type: "message_pinned", message_id: id } : null;
      this.revise(user, chatId, "chat_updated", {}, [], event);
    }
    return this.detail(chat);
  }

  /** @param {any} user @param {string} chatId @param {number} id @param {string | null} text null to delete */
  alter(user, chatId, id, text) {
    const { chat } = this.seat(user, chatId);
    const message = chat.messages[id - 1];
    if (!message) throw new Refusal(404, "message_not_found");
    if (message.sender_id !== user.id || message.event) throw new Refusal(403, "forbidden");
    if (message.deleted_at) {
      if (text === null) return message;
      throw new Refusal(409, "message_deleted");
    }
    Object.assign(message, { text, revision: ++chat.revision });
    message[text === null ? "deleted_at" : "edited_at"] = this.time();
    if (text === null) {
      for (const extra of ["reply_to", "mentions", "reactions", "files"]) delete message[extra];
      message.chosen?.clear();
      chat.pinned = chat.pinned.filter((/** @type {number} */ other) => other !== id);
    }
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

  /**
   * @param {any} user @param {string} chatId @param {string} type @param {any} extra @param {string[]} also
   * @param {any} event of the service entry; null without one
   */
  revise(user, chatId, type, extra, also, event) {
    const chat = this.chats.get(chatId);
    const entry = event && this.write(chat, user, this.id("k"), { kind: "service", text: null, event });
    if (entry) extra = { ...extra, entry };
    else chat.revision++;
    const chatObject = type === "chat_updated" ? { chat: this.object(chat) } : {};
    this.tell(
      chat,
      { type, data: { chat_id: chatId, revision: chat.revision, by: user.id, ...extra, ...chatObject } },
      also,
    );
  }
}
