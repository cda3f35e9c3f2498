// @ts-check
import { Client } from "../client/index.js";
import { t, has } from "./i18n.js";

/** @import {FileObject, InvitePreview, Message, Person, SessionList} from "../client/types.js" */

/**
 * What a dialog shows. `busy` and `error` belong to its form.
 * @typedef {object} Dialog
 * @property {'new' | 'group' | 'info' | 'add' | 'rename' | 'settings' | 'password' | 'readers' | 'forward' |
 *   'mute' | 'invites' | 'join' | 'profile' | 'blocked' | 'farewell' | 'photo' | 'email' | 'report' |
 *   'confirm'} type
 * @property {string} [chatId]
 * @property {Message} [message]
 * @property {string} [title]
 * @property {string} [text]
 * @property {string} [label] of the button that does it
 * @property {() => Promise<unknown>} [act]
 * @property {Person[]} [found]
 * @property {string} [query]
 * @property {Map<string, Person>} [chosen]
 * @property {SessionList} [sessions]
 * @property {import("../client/calls.js").Invite[]} [invites]
 * @property {string} [code] of a link into a group
 * @property {InvitePreview} [preview] where it leads
 * @property {FileObject[]} [files] pictures
 * @property {number} [place] which of them is shown
 * @property {boolean} [saving] whether a picture of somebody is being changed
 * @property {Failure | null} [pictureError]
 * @property {string} [email] a new address that a code was sent to
 * @property {string} [about] what the person shown says about themselves; "" until it is known
 * @property {boolean} [busy]
 * @property {Failure | null} [error]
 */

/** @typedef {{text: string, field: string | null}} Failure an error in words, and the form field it is about */

/**
 * The open chat.
 * @typedef {object} View
 * @property {string} chatId
 * @property {number} firstUnread the message below the line "unread"; 0 for none
 * @property {{kind: 'bottom' | 'unread'} | {kind: 'message', id: number} | null} target where to scroll once it is
 *   drawn
 * @property {number} marked a message that was jumped to
 * @property {boolean} opened whether its messages have been asked for
 * @property {Message | null} editing
 * @property {string} editText
 * @property {Message | null} replying what is being answered
 * @property {boolean} focus whether the field to write in gets the focus once it is drawn
 * @property {boolean} following whether the newest message is in sight
 */

export const state = {
  /** @type {'starting' | 'login' | 'register' | 'forgotten' | 'reset' | 'chats'} */
  screen: "starting",
  /** @type {string | null} */
  notice: null,
  /** @type {Failure[]} */
  formErrors: [],
  formBusy: false,
  /** @type {View | null} */
  view: null,
  search: {
    open: false,
    query: "",
    /** @type {string | null} */
    chatId: null,
    /** @type {Person[]} */
    people: [],
    /** @type {Message[]} */
    messages: [],
    /** Where the next page of either begins; null if there is none. */
    next: { people: /** @type {string | null} */ (null), messages: /** @type {string | null} */ (null) },
    busy: false,
  },
  /** Whether the archived chats are shown. */
  archive: false,
  /** Dialogs, the topmost last. @type {Dialog[]} */
  dialogs: [],
  /**
   * @type {{
   *   items: Array<{label: string, icon: string, danger?: boolean, act: () => void}>,
   *   emoji: {offered: string[], chosen: string[], choose: (emoji: string) => void} | null,
   *   anchor: Element,
   * } | null}
   */
  menu: null,
  /** @type {{text: string, kind: 'note' | 'error'} | null} */
  toast: null,
};

/** How long the address of the WebSocket may take to arrive, in milliseconds. */
const CONFIG_MS = 10_000;
const base = new URL(".", document.baseURI).href.replace(/\/$/, "");

/** @type {Promise<string> | null} */
let socketUrl = null;

async function askForSocketUrl() {
  const response = await fetch("./config.json", { cache: "no-store", signal: AbortSignal.timeout(CONFIG_MS) });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const { web_socket_url: url } = await response.json();
  if (typeof url !== "string") throw new Error("config.json: web_socket_url is missing");
  return url;
}

export const client = new Client({
  url: base,
  socketUrl: (again) => {
    if (again) socketUrl = null;
    socketUrl ??= askForSocketUrl().catch((error) => {
      socketUrl = null;
      throw error;
    });
    return socketUrl;
  },
});

/** @type {() => void} */
let draw = () => {};
let scheduled = false;
let frame = 0;
/** @type {(() => void)[]} */
const afterwards = [];

/** @param {() => void} f draws everything */
export function onDraw(f) {
  draw = f;
}

/** Draws once, however often it is asked for before the next frame. */
export function redraw() {
  if (scheduled) return;
  scheduled = true;
  schedule();
}

/** Draws, then does what needs the new elements, such as giving one the focus. @param {() => void} then */
export function afterDrawing(then) {
  afterwards.push(then);
  redraw();
}

function schedule() {
  const run = () => {
    if (!scheduled) return;
    scheduled = false;
    draw();
    // One that fails does not take the others with it.
    for (const then of afterwards.splice(0)) queueMicrotask(then);
  };
  // A page in the background gets no frames, but its title counts unread messages.
  if (document.hidden) setTimeout(run, 200);
  else frame = requestAnimationFrame(run);
}

document.addEventListener("visibilitychange", () => {
  if (!scheduled || !document.hidden) return;
  // The frame that was asked for does not come any more.
  cancelAnimationFrame(frame);
  schedule();
});

/** Whether a key belongs to an input method. Safari reports the last one with 229 only. @param {KeyboardEvent} event */
export const composes = (event) => event.isComposing || event.keyCode === 229;

/** @type {any} */
let toastTimer = null;

/** @param {string} text @param {'note' | 'error'} [kind] */
export function toast(text, kind = "note") {
  state.toast = { text, kind };
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    state.toast = null;
    redraw();
  }, 6_000);
  redraw();
}

/** An error in words. @param {unknown} error @returns {Failure} */
export function failure(error) {
  const { code = "unknown", message = "", retryAfter = null } = /** @type {any} */ (error) ?? {};
  if (code === "invalid_field") {
    const field = String(message).split(":")[0] ?? "";
    if (has(`error.field.${field}`)) return { text: t(`error.field.${field}`), field };
  }
  const field = {
    email_taken: "email",
    username_taken: "username",
    wrong_password: "current_password",
    invalid_code: "code",
  }[String(code)];
  const key = has(`error.${code}`) ? `error.${code}` : "error.unknown";
  return { text: t(key, { count: Math.ceil(retryAfter ?? 1) }), field: field ?? null };
}

/** Does something whose failure is told in a toast. @param {() => Promise<unknown>} work */
export async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (/** @type {any} */ (error)?.code === undefined) console.error(error);
    toast(failure(error).text, "error");
  }
}

/** @type {Array<Element | null>} */
const focusBefore = [];

/** @param {Dialog} dialog */
export function openDialog(dialog) {
  focusBefore.push(document.activeElement);
  state.dialogs.push(dialog);
  redraw();
  return dialog;
}

/** @param {Dialog} [dialog] the topmost, if left out */
export function closeDialog(dialog = state.dialogs[state.dialogs.length - 1]) {
  const index = dialog ? state.dialogs.indexOf(dialog) : -1;
  if (index < 0) return;
  state.dialogs.splice(index);
  // A menu inside of a dialog goes with it.
  if (state.menu?.anchor.closest("dialog")) state.menu = null;
  const [focus] = focusBefore.splice(index);
  // Before the dialog is gone, the browser refuses.
  afterDrawing(() => {
    // Something else may have taken the focus, such as the field of a chat that was opened.
    const free = document.activeElement === null || document.activeElement === document.body;
    if (free && focus instanceof HTMLElement && focus.isConnected) focus.focus();
  });
}

export function closeAllDialogs() {
  while (state.dialogs.length) closeDialog(state.dialogs[0]);
}

/**
 * Asks before something that cannot be undone.
 * @param {{title: string, text: string, label: string, act: () => Promise<unknown>}} question
 */
export function confirm(question) {
  openDialog({ type: "confirm", ...question });
}

/**
 * Runs the work of a dialog's form and shows its error there.
 * @param {Dialog} dialog
 * @param {() => Promise<unknown>} work
 */
export async function submit(dialog, work) {
  if (dialog.busy) return;
  dialog.busy = true;
  dialog.error = null;
  redraw();
  try {
    await work();
    closeDialog(dialog);
  } catch (error) {
    if (/** @type {any} */ (error)?.code === undefined) console.error(error);
    dialog.error = failure(error);
  }
  dialog.busy = false;
  redraw();
}

/** @param {string} id */
export const nameOf = (id) => client.person(id)?.name ?? t("app.unknownPerson");

/** The same, for somebody who may be this person. @param {string} id */
export const youOr = (id) => (id === client.account?.id ? t("app.you") : nameOf(id));

/** @param {import("../client/chat.js").Chat} chat */
export function titleOf(chat) {
  return chat.kind === "group" ? (chat.name ?? "") : (chat.peer?.name ?? t("app.unknownPerson"));
}

/** The picture of a chat. @param {import("../client/chat.js").Chat} chat */
export const pictureOf = (chat) => (chat.kind === "group" ? chat.pictureId : chat.peer?.avatar_id);

/** Says something to those who cannot see it. @param {string} text */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (!announcer) return;
  // The same text twice is no change; a new element is.
  const item = document.createElement("p");
  item.textContent = text;
  announcer.replaceChildren(...(text ? [item] : []));
}
