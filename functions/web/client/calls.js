// @ts-check

/** @import {Account, AccountChange, ChatChange, ChatObject, InvitePreview} from "./types.js" */
/** @import {Member, Message, Person, Role, SessionList} from "./types.js" */

/**
 * @typedef {import("./contract.d.ts").FoundMessages} FoundMessages
 * @typedef {import("./contract.d.ts").FoundPeople} FoundPeople
 * @typedef {import("./contract.d.ts").Invite} Invite
 * @typedef {import("./contract.d.ts").NewChat} NewChat
 * @typedef {import("./contract.d.ts").Registration} Registration
 * @typedef {import("./contract.d.ts").SettingsChange} SettingsChange
 * @typedef {import("./contract.d.ts").SettingsChanged} SettingsChanged
 */

/** The calls of the HTTP API that need no state of their own. */
export class Calls {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
  }

  /** @param {Registration} body @returns {Promise<Account>} */
  register(body) {
    return this.session.http.call("POST", "/auth/register", { body });
  }

  /** @param {string} currentPassword @param {string} newPassword @returns {Promise<null>} */
  async changePassword(currentPassword, newPassword) {
    const body = { current_password: currentPassword, new_password: newPassword };
    return this.#twice(() => this.session.call("POST", "/auth/password", { body }));
  }

  /** Has a code mailed for a new password. @param {string} email @returns {Promise<null>} */
  forgot(email) {
    return this.session.http.call("POST", "/auth/forgot", { body: { email } });
  }

  /** @param {string} email @param {string} code @param {string} newPassword @returns {Promise<null>} */
  reset(email, code, newPassword) {
    return this.session.http.call("POST", "/auth/reset", { body: { email, code, new_password: newPassword } });
  }

  /** Has a code mailed to a new address. @param {string} email @param {string} password @returns {Promise<null>} */
  changeEmail(email, password) {
    return this.session.call("POST", "/users/me/email", { body: { email, password } });
  }

  /** @param {string} code @returns {Promise<Account>} */
  confirmEmail(code) {
    return this.session.call("POST", "/users/me/email/confirm", { body: { code } });
  }

  /** The key that a browser subscribes to pushes with. @returns {Promise<string>} in base64url */
  async pushKey() {
    const answer = await this.session.call("GET", "/push/key");
    return /** @type {import("./contract.d.ts").PushKey} */ (answer).public_key;
  }

  /**
   * Has this device told of messages while it is not connected, for as long as the session lives.
   * @param {import("./contract.d.ts").NewPushSubscription} body @returns {Promise<null>}
   */
  subscribe(body) {
    return this.session.call("PUT", "/push/subscription", { body });
  }

  /** @param {string} endpoint @returns {Promise<null>} */
  unsubscribe(endpoint) {
    return this.session.call("DELETE", "/push/subscription", { body: { endpoint } });
  }

  /** @returns {Promise<SessionList>} */
  sessions() {
    return this.session.call("GET", "/auth/sessions");
  }

  /** @param {string} id */
  async endSession(id) {
    await this.#twice(() => this.session.call("DELETE", `/auth/sessions/${id}`)).catch((error) => {
      if (error.code !== "session_not_found") throw error;
    });
  }

  /**
   * A 503 may mean that sessions have ended but their sockets are open; the repetition closes them.
   * @template T
   * @param {() => Promise<T>} call
   */
  async #twice(call) {
    try {
      return await call();
    } catch (error) {
      if (/** @type {any} */ (error).code !== "unavailable") throw error;
      return call();
    }
  }

  /** @param {string} words @returns {Promise<Person[]>} up to twenty */
  async findPeople(words) {
    return (await this.searchPeople(words)).users;
  }

  /** @param {string} userId @returns {Promise<import("./contract.d.ts").Profile>} */
  profile(userId) {
    return this.session.call("GET", `/users/${userId}`);
  }

  /** @param {string} words @param {string} [after] the `next` of the page before @returns {Promise<FoundPeople>} */
  searchPeople(words, after) {
    return this.session.call("GET", "/users", { query: { search: words, after } });
  }

  /**
   * Newest first.
   * @param {string} words @param {string} [chatId] @param {string} [after] the `next` of the page before
   * @returns {Promise<FoundMessages>}
   */
  searchMessages(words, chatId, after) {
    return this.session.call("GET", "/messages/search", { query: { q: words, chat_id: chatId, limit: 50, after } });
  }

  /** @param {string} userId @returns {Promise<ChatObject>} */
  createPrivate(userId) {
    return this.session.call("POST", "/chats", {
      body: /** @satisfies {NewChat} */ ({ kind: "private", user_id: userId }),
    });
  }

  /** @param {string} name @param {string[]} memberIds @param {string} key @returns {Promise<ChatObject>} */
  createGroup(name, memberIds, key) {
    const body = /** @satisfies {NewChat} */ ({ kind: "group", name, member_ids: memberIds, client_chat_id: key });
    return this.session.call("POST", "/chats", { body });
  }

  /** @param {string} chatId @param {ChatChange} change @returns {Promise<ChatObject>} */
  change(chatId, change) {
    return this.session.call("PATCH", `/chats/${chatId}`, { body: change });
  }

  /** Ends a group for everybody. @param {string} chatId @returns {Promise<null>} */
  dissolve(chatId) {
    return this.session.call("DELETE", `/chats/${chatId}`);
  }

  /** @param {string} chatId @param {SettingsChange} change @returns {Promise<SettingsChanged>} */
  set(chatId, change) {
    return this.session.call("PATCH", `/chats/${chatId}/settings`, { body: change });
  }

  /** @returns {Promise<Account>} */
  account() {
    return this.session.call("GET", "/auth/me");
  }

  /** @param {AccountChange} change @returns {Promise<Account>} */
  changeAccount(change) {
    return this.session.call("PATCH", "/users/me", { body: change });
  }

  /** @param {string} password @returns {Promise<null>} */
  deleteAccount(password) {
    return this.session.call("POST", "/users/me/delete", { body: { password } });
  }

  /** @returns {Promise<Person[]>} everybody whom this person has blocked */
  async blocked() {
    const people = [];
    /** @type {string | undefined} */
    let after;
    do {
      /** @type {FoundPeople} */
      const page = await this.session.call("GET", "/users/blocked", { query: { after } });
      people.push(...page.users);
      after = page.next ?? undefined;
    } while (after);
    return people;
  }

  /** @param {string} userId @param {boolean} blocked @returns {Promise<null>} */
  block(userId, blocked) {
    return this.session.call(blocked ? "PUT" : "DELETE", `/users/${userId}/block`);
  }

  /** @param {string} chatId @returns {Promise<Invite[]>} */
  async invites(chatId) {
    const answer = await this.session.call("GET", `/chats/${chatId}/invites`);
    return /** @type {import("./contract.d.ts").Invites} */ (answer).invites;
  }

  /** @param {string} chatId @param {import("./contract.d.ts").NewInvite} limits @returns {Promise<Invite>} */
  invite(chatId, limits) {
    return this.session.call("POST", `/chats/${chatId}/invites`, { body: limits });
  }

  /** @param {string} chatId @param {string} code @returns {Promise<null>} */
  revoke(chatId, code) {
    return this.session.call("DELETE", `/chats/${chatId}/invites/${encodeURIComponent(code)}`);
  }

  /** @param {string} code @returns {Promise<InvitePreview>} */
  preview(code) {
    return this.session.call("GET", `/invites/${encodeURIComponent(code)}`);
  }

  /** @param {string} code @returns {Promise<ChatObject>} */
  join(code) {
    return this.session.call("POST", `/invites/${encodeURIComponent(code)}`);
  }

  /** @param {string} chatId @param {string} userId @returns {Promise<Member>} */
  addMember(chatId, userId) {
    return this.session.call("POST", `/chats/${chatId}/members`, { body: { user_id: userId } });
  }

  /** @param {string} chatId @param {string} userId @param {Role} role @returns {Promise<Member>} */
  setRole(chatId, userId, role) {
    return this.session.call("PATCH", `/chats/${chatId}/members/${userId}`, { body: { role } });
  }

  /** Removes somebody, or leaves. @param {string} chatId @param {string} userId */
  removeMember(chatId, userId) {
    return this.session.call("DELETE", `/chats/${chatId}/members/${userId}`);
  }

  /** @param {string} chatId @param {number} id @param {string} text @returns {Promise<Message>} */
  edit(chatId, id, text) {
    return this.session.call("PATCH", `/messages/${chatId}/${id}`, { body: { text } });
  }

  /** @param {string} chatId @param {number} id @returns {Promise<Message | undefined>} */
  async message(chatId, id) {
    const query = { after: id - 1, limit: 1 };
    /** @type {import("./types.js").HistoryPage} */
    const page = await this.session.call("GET", `/messages/history/${chatId}`, { query });
    return page.messages[0];
  }

  /** @param {Message} message @param {string} chatId where to @param {string} key @returns {Promise<Message>} */
  forward(message, chatId, key) {
    const body = { chat_id: chatId, client_message_id: key };
    return this.session.call("POST", `/messages/${message.chat_id}/${message.id}/forward`, { body });
  }

  /** @param {string} chatId @param {number} id @param {string[]} reactions all of them @returns {Promise<Message>} */
  react(chatId, id, reactions) {
    return this.session.call("PUT", `/messages/${chatId}/${id}/reactions`, { body: { reactions } });
  }

  /** @param {string} chatId @param {number} id @param {boolean} pinned @returns {Promise<ChatObject>} */
  pin(chatId, id, pinned) {
    return this.session.call(pinned ? "PUT" : "DELETE", `/messages/${chatId}/${id}/pin`);
  }

  /** Tells whoever runs the messenger. @param {Message} message @param {string} [reason] @returns {Promise<null>} */
  report(message, reason) {
    const body = reason ? { reason } : {};
    return this.session.call("POST", `/messages/${message.chat_id}/${message.id}/report`, { body });
  }

  /** @param {string} chatId @param {number} id @returns {Promise<Message>} the tombstone */
  remove(chatId, id) {
    return this.session.call("DELETE", `/messages/${chatId}/${id}`);
  }
}
