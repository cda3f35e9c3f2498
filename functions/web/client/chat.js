// @ts-check
import { keepMine, reacted } from "./reactions.js";
import { Tally } from "./tally.js";
import { Window } from "./window.js";

/** @import {Change, ChatObject, ListedChat, Member, Message, Person, ReadCursor, Role} from "./types.js" */

/** Pushes kept while a hole before them is open. A catch-up brings those beyond. */
const HELD_LIMIT = 1_000;

/** This client's replica of one chat. */
export class Chat {
  /** @type {'private' | 'group'} */
  kind = "group";
  /** @type {string | null} */
  name = null;
  createdBy = "";
  createdAt = "";
  /** The revision held: everything up to it has been applied. 0 if the chat is not known yet. */
  revision = 0;
  lastMessageId = 0;
  /** @type {Message | null} */
  lastMessage = null;
  /** Null until they have been fetched; a list of chats does not have them. @type {Map<string, Member> | null} */
  members = null;
  /** The other person of a private chat. @type {Person | null} */
  peer = null;
  /** @type {Role} */
  role = "member";
  /** How far this person has read. */
  lastReadId = 0;
  /** The latest pinned last. @type {number[]} */
  pinned = [];
  /** The picture of a group. @type {string | null} */
  pictureId = null;
  /** What a group is about. */
  description = "";
  /** Who writes. @type {'everyone' | 'admins'} */
  posting = "everyone";
  slowSeconds = 0;
  /** Until when it makes no noise, for this person. @type {string | null} */
  mutedUntil = null;
  archived = false;
  markedUnread = false;
  /** The last message when this person took the chat off the list. @type {number | null} */
  #hiddenAt = null;

  /** What does not count as unread: deleted messages and service entries. */
  #silent = new Tally();
  #mentions = new Tally();

  /** Up to which revision the name and the members are known; a snapshot may be ahead of `revision`. */
  #snapshot = 0;
  /** @type {Map<number, Change>} */
  #held = new Map();
  /** Receipts of people not known as members yet. @type {Map<string, number>} */
  #early = new Map();

  /**
   * @param {string} id
   * @param {string} me the id of this person
   * @param {number} windowLimit
   */
  constructor(id, me, windowLimit) {
    this.id = id;
    this.me = me;
    this.window = new Window(windowLimit);
  }

  get unread() {
    return Math.max(0, this.lastMessageId - this.lastReadId - this.#silent.after(this.lastReadId));
  }

  /** How many unread messages mention this person. */
  get unreadMentions() {
    return this.#mentions.after(this.lastReadId);
  }

  /** When something last happened, for sorting. */
  get activeAt() {
    return this.lastMessage?.timestamp ?? this.createdAt;
  }

  /** The furthest cursor of anybody but the sender. @param {string} sender */
  readUpTo(sender) {
    let furthest = 0;
    for (const member of this.members?.values() ?? []) {
      if (member.id !== sender && member.last_read_id > furthest) furthest = member.last_read_id;
    }
    return furthest;
  }

  /** @param {Message} message @returns {boolean} whether somebody other than its sender has read it */
  isRead(message) {
    return message.id <= this.readUpTo(message.sender_id) || (this.members === null && message.is_read);
  }

  /**
   * A change with a revision, by the documented rule.
   * @param {Change} change
   * @returns {'applied' | 'old' | 'hole'}
   */
  receive(change) {
    const { revision } = change.data;
    if (revision <= this.revision) return "old";
    if (revision > this.revision + 1) {
      if (this.#held.size < HELD_LIMIT) this.#held.set(revision, change);
      return "hole";
    }
    this.#apply(change);
    this.#fill();
    return "applied";
  }

  /** Whether pushes are waiting for a hole to be filled. */
  get hasHole() {
    return this.#held.size > 0;
  }

  /**
   * One page of `changes`.
   * @param {ChatObject} chat @param {Message[]} messages @param {number} revision
   */
  catchUp(chat, messages, revision) {
    this.#take(chat);
    for (const message of messages) this.#storeMessage(message);
    if (revision > this.revision) this.revision = revision;
    this.#fill();
  }

  /** Begins anew from the chat in its current state, without its messages. @param {ChatObject} chat */
  begin(chat) {
    this.#take(chat);
    if (chat.revision > this.revision) {
      this.revision = chat.revision;
      this.lastMessage = null;
      this.window.reset();
    }
    this.#fill();
  }

  /** An entry of the list of chats. @param {ListedChat} listed @returns {boolean} whether this replica is behind it */
  list(listed) {
    if (this.revision === 0) {
      this.begin({ ...listed, members: undefined });
    }
    // A list that was asked for before this person has read on does not bring the mark back.
    const behind = listed.last_read_id < this.lastReadId;
    this.set(behind ? { ...listed, marked_unread: this.markedUnread } : listed);
    if (listed.peer) this.peer = listed.peer;
    this.role = this.members?.get(this.me)?.role ?? listed.role;
    this.moveCursor(this.me, listed.last_read_id);
    if (listed.revision >= this.revision) {
      const { last_message_id: last, last_read_id: read, revision } = listed;
      this.#silent.counted(last - read - listed.unread_count, read, last, revision);
      this.#mentions.counted(listed.unread_mentions, read, last, revision);
    }
    if (listed.last_message) this.showLast(listed.last_message);
    return listed.revision > this.revision;
  }

  /**
   * What the chat is to this person.
   * @param {import("./contract.d.ts").ChatSettings} settings
   */
  set({ muted_until, archived, marked_unread, hidden, hidden_at_id }) {
    this.#hiddenAt = hidden ? (hidden_at_id ?? this.lastMessageId) : null;
    this.mutedUntil = muted_until;
    this.archived = archived;
    this.markedUnread = marked_unread;
  }

  /** Whether it is off the list until its next message. */
  get hidden() {
    return this.#hiddenAt !== null && this.#hiddenAt >= this.lastMessageId;
  }

  /** @param {number} now in milliseconds */
  isMuted(now) {
    return this.mutedUntil !== null && Date.parse(this.mutedUntil) > now;
  }

  /** The chat in its current state, which may be ahead of the messages held. @param {ChatObject} chat */
  describe(chat) {
    this.#take(chat);
  }

  /** @param {ReadCursor} cursor @returns {boolean} whether it moved anything */
  receipt({ user_id, message_id }) {
    return this.moveCursor(user_id, message_id);
  }

  /** @param {string} userId @param {number} messageId */
  moveCursor(userId, messageId) {
    let moved = false;
    if (userId === this.me && messageId > this.lastReadId) {
      this.lastReadId = messageId;
      this.markedUnread = false;
      moved = true;
    }
    const member = this.members?.get(userId);
    if (!member) {
      this.#early.set(userId, Math.max(messageId, this.#early.get(userId) ?? 0));
    } else if (messageId > member.last_read_id) {
      this.members?.set(userId, { ...member, last_read_id: messageId });
      moved = true;
    }
    return moved;
  }

  #fill() {
    for (const revision of this.#held.keys()) if (revision <= this.revision) this.#held.delete(revision);
    for (;;) {
      const change = this.#held.get(this.revision + 1);
      if (!change) return;
      this.#held.delete(change.data.revision);
      this.#apply(change);
    }
  }

  /** @param {Change} change the next one */
  #apply({ type, data }) {
    this.revision = data.revision;
    const fresh = data.revision > this.#snapshot;
    if (fresh) this.#snapshot = data.revision;
    const entry = "entry" in data ? data.entry : undefined;
    if (entry) this.#storeMessage(entry);
    if (type === "new_message" || type === "message_edited" || type === "message_deleted") {
      this.#storeMessage(data);
      if (type === "new_message") this.moveCursor(data["sender_id"], data["id"]);
      if (type === "message_deleted") this.pinned = this.pinned.filter((id) => id !== data["id"]);
    } else if (type === "message_reacted") {
      this.#react(data);
    } else if (!fresh) {
      // A snapshot taken later has it already.
    } else if (type === "member_added" || type === "member_updated") {
      this.#setMember(data["member"]);
    } else if (type === "member_removed") {
      this.members?.delete(data["user_id"]);
      this.#early.delete(data["user_id"]);
    } else if (type === "chat_updated" || type === "chat_created") {
      const chat = /** @type {ChatObject} */ (data["chat"]);
      this.#describe(chat);
      if (chat.members) this.#setMembers(chat.members);
    }
  }

  /** @param {ChatObject} chat a snapshot */
  #take(chat) {
    if (chat.revision < this.#snapshot) {
      for (const member of chat.members ?? []) this.moveCursor(member.id, member.last_read_id);
      return;
    }
    this.#snapshot = chat.revision;
    this.#describe(chat);
    if (chat.members) this.#setMembers(chat.members);
  }

  /** @param {ChatObject} chat */
  #describe(chat) {
    this.kind = chat.kind;
    this.name = chat.name;
    this.createdBy = chat.created_by;
    this.createdAt = chat.created_at;
    this.pinned = chat.pinned_message_ids ?? [];
    this.pictureId = chat.picture_id ?? null;
    this.description = chat.description ?? "";
    this.posting = chat.posting ?? "everyone";
    this.slowSeconds = chat.slow_seconds ?? 0;
    this.lastMessageId = Math.max(this.lastMessageId, chat.last_message_id);
  }

  /** @param {Member[]} members */
  #setMembers(members) {
    const before = this.members;
    this.members = new Map();
    for (const member of members) this.#setMember(member, before?.get(member.id));
    this.#early.clear();
  }

  /** @param {Member} member @param {Member} [before] */
  #setMember(member, before = this.members?.get(member.id)) {
    // Cursors have no revision, so the one held may be ahead; after somebody came back it is not theirs any more.
    const known = before?.joined_at === member.joined_at ? before.last_read_id : 0;
    const last_read_id = Math.max(member.last_read_id, known, this.#early.get(member.id) ?? 0);
    this.members?.set(member.id, { ...member, last_read_id });
    if (member.id === this.me) {
      this.role = member.role;
      const returned = before !== undefined && before.joined_at !== member.joined_at;
      this.lastReadId = returned ? last_read_id : Math.max(this.lastReadId, last_read_id);
    } else if (this.kind === "private") {
      const { id, name, username, avatar_id } = member;
      this.peer = { id, name, username, ...(avatar_id ? { avatar_id } : {}) };
    }
  }

  /** @param {Message} message */
  #storeMessage(message) {
    this.showLast(message);
    this.window.store(message);
  }

  /** @param {import("./contract.d.ts").MessageReacted} data */
  #react({ message_id, revision, reactions, by, chosen }) {
    const change = { message_id, revision, reactions, ...(by === this.me ? { mine: chosen } : {}) };
    this.window.react(change);
    const last = this.lastMessage;
    if (last?.id === message_id && last.revision < revision) this.lastMessage = reacted(last, change);
  }

  /** Messages of a page of the history, which the window takes by itself. @param {Message[]} messages */
  counts(messages) {
    for (const message of messages) this.#count(message);
  }

  /** @param {Message} message */
  #count(message) {
    this.#silent.see(message, message.text === null);
    const mentioned = message.mentions?.includes(this.me) ?? false;
    this.#mentions.see(message, mentioned && message.sender_id !== this.me);
  }

  /** @param {Message} message */
  showLast(message) {
    this.lastMessageId = Math.max(this.lastMessageId, message.id);
    this.#count(message);
    const shown = this.lastMessage;
    const newer = !shown || message.id > shown.id || (message.id === shown.id && message.revision >= shown.revision);
    if (newer) this.lastMessage = keepMine(message, shown);
  }
}
