// The shapes on the wire, by the names that this client has for them. What they are is in contract.d.ts, which is
// written out of the messenger's own description. This file has no code.

/**
 * @typedef {import("./contract.d.ts").Person & Pictured} Person
 * @typedef {import("./contract.d.ts").Account & Pictured} Account
 * @typedef {import("./contract.d.ts").AccountChange & {avatar_id?: string | null}} AccountChange
 * @typedef {import("./contract.d.ts").Role} Role
 * @typedef {import("./contract.d.ts").Member & Pictured} Member
 * @typedef {import("./contract.d.ts").Message & {files?: FileObject[]}} Message
 * @typedef {import("./contract.d.ts").ChatWithMembers & {picture_id?: string}} ChatObject
 * @typedef {import("./contract.d.ts").ChatChange & {picture_id?: string | null}} ChatChange
 * @typedef {import("./contract.d.ts").InvitePreview & {picture_id?: string}} InvitePreview
 * @typedef {import("./contract.d.ts").ListedChat & {picture_id?: string}} ListedChat
 * @typedef {import("./contract.d.ts").ChatList} ChatList
 * @typedef {import("./contract.d.ts").Changes} Changes
 * @typedef {import("./contract.d.ts").History} HistoryPage
 * @typedef {import("./contract.d.ts").TokenPair} TokenPair
 * @typedef {import("./contract.d.ts").Session} SessionObject
 * @typedef {import("./contract.d.ts").Sessions} SessionList
 * @typedef {import("./contract.d.ts").MessageRead} ReadCursor
 * @typedef {import("./contract.d.ts").UserStatus} Status
 * @typedef {import("./contract.d.ts").ErrorBody} ErrorBody
 * @typedef {import("./contract.d.ts").ErrorCode} ErrorCode
 * @typedef {import("./contract.d.ts").Frame} Frame
 * @typedef {import("./contract.d.ts").Action} Action
 */

/**
 * Somebody who may have a picture of themselves.
 * @typedef {object} Pictured
 * @property {string} [avatar_id]
 */

/**
 * A file of a message, or one that may be sent with a message.
 * @typedef {object} FileObject
 * @property {string} id
 * @property {string} name
 * @property {string} content_type
 * @property {number} size in bytes
 * @property {number} [width] pictures have it, and no other file
 * @property {number} [height]
 * @property {string} [preview] the picture made tiny, in base64
 */

/**
 * A send: without a text, if it has files.
 * @typedef {Omit<import("./contract.d.ts").SendMessage, "text"> & {text?: string, file_ids?: string[]}} Send
 */

/**
 * A push that carries a revision, and is therefore applied in order.
 * @typedef {Extract<Frame, {data: {revision: number}}>} Change
 */

/**
 * The data that goes with an action.
 * @template {Action["action"]} Name
 * @typedef {Name extends "sendMessage" ? Send : Extract<Action, {action: Name}>["data"]} ActionData
 */

export {};
