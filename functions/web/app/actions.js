// @ts-check
import { attachedTo, notReady, takeAttached } from "./attach.js";
import { closeShown } from "./push.js";
import { scroller } from "./scroller.js";
import { afterDrawing, attempt, client, closeAllDialogs, redraw, state, toast } from "./store.js";
import { t } from "./i18n.js";

/** @import {Chat} from "../client/chat.js" */

/** Beyond this many unread messages, a chat is opened at the first of them instead of at its newest page. */
const NEAR = 40;
/** A message that was jumped to. */
let jump = 0;

/** @param {string} id @param {number} [messageId] a message to show */
export function openChat(id, messageId) {
  jump = messageId ?? 0;
  const hash = `#/chat/${id}`;
  closeAllDialogs();
  if (location.hash === hash) void show(id);
  else location.hash = hash;
}

export function closeChat() {
  location.hash = "#/";
}

/** Shows what the address says. */
export function follow() {
  const id = /^#\/chat\/([^/]+)$/.exec(location.hash)?.[1];
  if (id) void show(id);
  else leave();
}

/** The chat on the screen is closed. */
export function leave() {
  if (!state.view) return;
  client.close(state.view.chatId);
  state.view = null;
  redraw();
}

/** @param {string} id */
async function show(id) {
  const at = jump;
  jump = 0;
  if (state.view?.chatId !== id) {
    leave();
    const chat = client.chat(id);
    const unread = chat?.unread ?? 0;
    state.view = {
      chatId: id,
      firstUnread: chat && unread > 0 ? chat.lastReadId + 1 : 0,
      target: at ? { kind: "message", id: at } : { kind: unread > 0 ? "unread" : "bottom" },
      marked: at,
      opened: false,
      editing: null,
      editText: "",
      replying: null,
      // With a finger, the focus would bring up the keyboard over half of the chat.
      focus: matchMedia("(hover: hover)").matches,
      following: unread === 0 && !at,
    };
  } else if (at) {
    const { view } = state;
    const chat = client.chat(id);
    if (!chat) return;
    await attempt(() => client.around(chat, at));
    Object.assign(view, { target: { kind: "message", id: at }, marked: at });
  }
  redraw();
}

/** Chats that are being loaded, or that could not be loaded a moment ago. @type {WeakSet<Chat>} */
const opening = new WeakSet();

/** Loads the chat of the address, as soon as it is known: after a reload, the list of chats comes later. */
export function openPending() {
  const { view } = state;
  const chat = view && client.chat(view.chatId);
  if (!view || !chat || opening.has(chat) || (view.opened && chat.window.loaded)) return;
  opening.add(chat);
  view.opened = true;
  if (!document.hidden) void closeShown(chat.id);
  if (chat.markedUnread) void attempt(() => client.set(chat.id, { marked_unread: false }));
  if (view.target?.kind === "bottom" && chat.unread > 0) {
    view.firstUnread = chat.lastReadId + 1;
    view.target = { kind: "unread" };
    view.following = false;
  }
  const far = chat.lastMessageId - chat.lastReadId > NEAR;
  const start = view.marked || (chat.unread > 0 && far ? chat.lastReadId + 1 : undefined);
  const again = () => {
    opening.delete(chat);
    redraw();
  };
  client.open(chat.id, start).then(again, () => setTimeout(again, 3_000));
}

export async function toNewest() {
  const { view } = state;
  const chat = view && client.chat(view.chatId);
  if (!view || !chat) return;
  if (!chat.window.tail) await attempt(() => client.latest(chat));
  view.target = { kind: "bottom" };
  redraw();
}

/** @param {string} userId */
export function startPrivate(userId) {
  return attempt(async () => {
    const chat = await client.createPrivate(userId);
    openChat(chat.id);
  });
}

/** @param {string} text */
const tooLong = (text) => [...text].length > 4_096;

/**
 * @param {NonNullable<typeof state.view>} view @param {import("../client/types.js").Message} message
 * @param {string} text
 */
async function saveEdit(view, message, text) {
  let saved = false;
  await attempt(async () => {
    await client.edit(message, text);
    saved = true;
  });
  // What was written is not lost, unless something else is being edited by now.
  if (saved || state.view !== view || view.editing) return;
  Object.assign(view, { editing: message, editText: text });
  redraw();
}

/** Sends what is written, or saves the edit. */
export function sendOrSave() {
  const { view } = state;
  if (!view) return;
  const { chatId, editing } = view;
  if (editing) {
    const text = view.editText;
    if (!text.trim()) return;
    if (tooLong(text)) return toast(t("chat.tooLong"), "error");
    stopEditing();
    if (text !== editing.text) void saveEdit(view, editing, text);
    return;
  }
  const text = client.draft(chatId);
  if (!text.trim() && attachedTo(chatId) === 0) return;
  if (tooLong(text)) return toast(t("chat.tooLong"), "error");
  const reason = notReady(chatId);
  if (reason) return toast(reason);
  client.setDraft(chatId, "");
  view.firstUnread = 0;
  const { replying } = view;
  view.replying = null;
  // It may have been deleted since.
  const answered = replying && (client.chat(chatId)?.window.get(replying.id) ?? replying);
  const said = text.trim() ? text : "";
  void client.send(chatId, said, answered && answered.text !== null ? answered : null, takeAttached(chatId));
  void toNewest();
}

/** @param {import("../client/types.js").Message} message */
export function startReply(message) {
  if (!state.view) return;
  stopEditing();
  state.view.replying = message;
  afterDrawing(() => document.getElementById("composer")?.focus());
}

export function stopReply() {
  if (!state.view) return;
  state.view.replying = null;
  redraw();
}

/** @param {import("../client/types.js").Message} message */
export function startEditing(message) {
  if (!state.view) return;
  state.view.replying = null;
  state.view.editing = message;
  state.view.editText = message.text ?? "";
  afterDrawing(() => {
    const composer = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("composer"));
    composer?.focus();
    composer?.setSelectionRange(composer.value.length, composer.value.length);
  });
}

export function stopEditing() {
  if (!state.view) return;
  state.view.editing = null;
  state.view.editText = "";
  redraw();
}

/** Edits the last message of this person that is in sight. */
export function editLast() {
  const chat = state.view && client.chat(state.view.chatId);
  const last = chat?.window.messages.findLast(
    (message) => message.sender_id === chat.me && message.text !== null && !message.forwarded_from,
  );
  if (last) startEditing(last);
}

/** What is on the screen counts as read. */
export function markSeen() {
  const chat = state.view && client.chat(state.view.chatId);
  if (!chat || document.hidden) return;
  const seen = scroller.lastSeen();
  if (seen <= chat.lastReadId) return;
  client.read(chat, seen);
  void closeShown(chat.id);
}
