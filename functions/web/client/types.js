// The shapes on the wire, by the names that this client has for them. What they are is in contract.d.ts, which is
// written out of the messenger's own description. This file has no code.

/**
 * @typedef {import("./contract.d.ts").Person} Person
 * @typedef {import("./contract.d.ts").Account} Account
 * @typedef {import("./contract.d.ts").Role} Role
 * @typedef {import("./contract.d.ts").Member} Member
 * @typedef {import("./contract.d.ts").Message} Message
 * @typedef {import("./contract.d.ts").ChatWithMembers} ChatObject
 * @typedef {import("./contract.d.ts").ListedChat} ListedChat
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
 * A push that carries a revision, and is therefore applied in order.
 * @typedef {Extract<Frame, {data: {revision: number}}>} Change
 */

/**
 * The data that goes with an action.
 * @template {Action["action"]} Name
 * @typedef {Extract<Action, {action: Name}>["data"]} ActionData
 */

export {};
