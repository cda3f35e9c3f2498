// The shapes on the wire, as docs/protocol.md describes them. This file has no code.

/**
 * @typedef {{id: string, name: string, username: string | null}} Person
 * @typedef {Person & {email: string, created_at: string}} Account
 * @typedef {'owner' | 'admin' | 'member'} Role
 * @typedef {Person & {role: Role, joined_at: string, last_read_id: number}} Member
 */

/**
 * @typedef {object} Message
 * @property {string} chat_id
 * @property {number} id its number within its chat
 * @property {string} sender_id
 * @property {string | null} text null once deleted
 * @property {string} timestamp
 * @property {string | null} edited_at
 * @property {string | null} deleted_at
 * @property {boolean} is_read
 * @property {string} client_message_id
 * @property {number} revision the chat's revision at the last change of this message
 */

/**
 * @typedef {object} ChatObject
 * @property {string} id
 * @property {'private' | 'group'} kind
 * @property {string | null} name
 * @property {string} created_by
 * @property {string} created_at
 * @property {number} revision
 * @property {number} last_message_id
 * @property {Member[]} [members]
 */

/**
 * @typedef {object} ListedFields
 * @property {Person | null} peer
 * @property {Role} role
 * @property {number} last_read_id
 * @property {number} unread_count
 * @property {Message | null} last_message
 * @typedef {ChatObject & ListedFields} ListedChat
 */

/**
 * @typedef {{chats: ListedChat[], next: string | null}} ChatList
 * @typedef {{chat: ChatObject, messages: Message[], revision: number, has_more: boolean}} Changes
 * @typedef {{messages: Message[], has_more: boolean, last_message_id: number, revision: number}} HistoryPage
 * @typedef {{access_token: string, token_type: string, expires_in: number, refresh_token: string}} TokenPair
 * @typedef {{id: string, device: string | null, created_at: string, refreshed_at: string}} SessionObject
 * @typedef {{sessions: SessionObject[], current: string}} SessionList
 * @typedef {{chat_id: string, user_id: string, message_id: number, read_at: string}} ReadCursor
 * @typedef {{user_id: string, online: boolean, last_seen_at: string | null}} Status
 * @typedef {{type: string, data: any, request_id?: string}} Frame
 */

/**
 * A push that carries a revision, and is therefore applied in order.
 * @typedef {{type: string, data: {revision: number, [field: string]: any}}} Change
 */

export {};
