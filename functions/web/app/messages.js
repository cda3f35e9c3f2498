// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { markSeen, openChat, startEditing, startReply, stopEditing } from "./actions.js";
import {
  QUICK,
  mayPin,
  mentioned,
  originOf,
  quoteOf,
  reactionChips,
  serviceText,
  toggleReaction,
} from "./details.js";
import { fileActions, filesOf } from "./files.js";
import { avatar, clockTime, dayName, dayOf, fullTime, hue, icon, withLinks } from "./format.js";
import { t } from "./i18n.js";
import { openMenu } from "./menu.js";
import { closedFor } from "./quiet.js";
import { reportAction } from "./report.js";
import { scroller } from "./scroller.js";
import { attempt, client, confirm, failure, nameOf, openDialog, state, toast } from "./store.js";

/** @import {Chat} from "../client/chat.js" */
/** @import {Message} from "../client/types.js" */
/** @import {Outgoing} from "../client/outbox.js" */

/** Messages of one person this close together are drawn as one group. */
const TOGETHER_MS = 5 * 60_000;

/** @param {Chat} chat @param {Message} message */
function actionsFor(chat, message) {
  const mine = message.sender_id === chat.me;
  const rank = { owner: 2, admin: 1, member: 0 }[chat.role];
  const deletable = mine || (chat.kind === "group" && rank > 0);
  const { text } = message;
  if (text === null) return [];
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast(t("message.copied"));
  };
  const remove = async () => {
    if (state.view?.editing?.id === message.id) stopEditing();
    await client.remove(message);
  };
  const question = {
    title: t("message.deleteTitle"),
    text: t("message.deleteText"),
    label: t("message.delete"),
    act: remove,
  };
  const quoted = message.reply_to?.id;
  const pinned = chat.pinned.includes(message.id);
  const pin = {
    label: t(pinned ? "message.unpin" : "message.pin"),
    icon: "pin",
    act: () => void attempt(() => client.pin(message, !pinned)),
  };
  return [
    ...(closedFor(chat) ? [] : [{ label: t("message.reply"), icon: "reply", act: () => startReply(message) }]),
    ...(message.reply_to ? [{ label: t("message.toQuoted"), icon: "back", act: () => openChat(chat.id, quoted) }] : []),
    ...(mine && !message.forwarded_from
      ? [{ label: t("message.edit"), icon: "edit", act: () => startEditing(message) }]
      : []),
    { label: t("message.forward"), icon: "forward", act: () => void openDialog({ type: "forward", message }) },
    ...(mayPin(chat) ? [pin] : []),
    ...fileActions(message),
    ...(text ? [{ label: t("message.copy"), icon: "copy", act: () => void attempt(copy) }] : []),
    {
      label: t("message.readers"),
      icon: "read",
      act: () => void openDialog({ type: "readers", chatId: chat.id, message }),
    },
    ...(mine ? [] : [reportAction(message)]),
    ...(deletable ? [{ label: t("message.delete"), icon: "trash", danger: true, act: () => confirm(question) }] : []),
  ];
}

/** @param {Element | null} item the list item of a message */
function openActions(item) {
  const chat = state.view && client.chat(state.view.chatId);
  const message = chat?.window.get(Number(/** @type {HTMLElement} */ (item)?.dataset["id"]));
  if (!chat || !message || !item) return;
  const items = actionsFor(chat, message);
  if (items.length === 0) return;
  const emoji = {
    offered: QUICK,
    chosen: message.my_reactions ?? [],
    choose: (/** @type {string} */ one) => toggleReaction(message, one),
  };
  openMenu(item.querySelector(".bubble") ?? item, items, emoji);
}

/** @param {Chat} chat @param {Message} message @param {number} readUpTo */
function ticks(chat, message, readUpTo) {
  if (message.sender_id !== chat.me || message.text === null) return nothing;
  const read = message.id <= readUpTo;
  const word = t(read ? "message.read" : "message.sent");
  return html`<span class="ticks ${read ? "read" : ""}" title=${word}
    >${icon(read ? "read" : "sent", "tick")}<span class="hidden">${word}</span></span
  >`;
}

/** @param {Message} message @param {Message | undefined} other */
function together(message, other) {
  return (
    other !== undefined &&
    other.sender_id === message.sender_id &&
    !other.event &&
    !message.event &&
    Math.abs(Date.parse(other.timestamp) - Date.parse(message.timestamp)) < TOGETHER_MS &&
    dayOf(other.timestamp) === dayOf(message.timestamp)
  );
}

/**
 * @param {Chat} chat @param {Message} message @param {number} index @param {number} readUpTo
 */
function messageItem(chat, message, index, readUpTo) {
  const { messages, first } = chat.window;
  const [before, after] = [messages[index - 1], messages[index + 1]];
  const view = state.view;
  const unreadLine = view?.firstUnread === message.id;
  const newDay = before ? dayOf(before.timestamp) !== dayOf(message.timestamp) : first === 1 || index > 0;
  const head = unreadLine || !together(message, before);
  const tail = !together(message, after) || (after !== undefined && view?.firstUnread === after.id);
  const mine = message.sender_id === chat.me;
  const name = mine ? t("app.you") : nameOf(message.sender_id);
  const picture = client.person(message.sender_id)?.avatar_id;
  const others = chat.kind === "group" && !mine;
  const classes = ["message", mine ? "mine" : "", head ? "head" : "", tail ? "tail" : "", others ? "others" : ""];
  if (view?.marked === message.id) classes.push("marked");
  const lines = html`${newDay ? html`<h3 class="day"><span>${dayName(message.timestamp)}</span></h3>` : nothing}
    ${unreadLine ? html`<h3 class="unread-line"><span>${t("chat.unreadLine")}</span></h3>` : nothing}`;
  if (message.event) {
    return html`<li
      class="message"
      data-key=${keyOf(chat, message)}
      data-id=${message.id}
      ?data-unread=${unreadLine}
      tabindex="-1"
    >
      ${lines}
      <p class="service" dir="auto" title=${fullTime(message.timestamp)}>${serviceText(message)}</p>
    </li>`;
  }
  return html`<li
    class=${classes.join(" ")}
    data-key=${keyOf(chat, message)}
    data-id=${message.id}
    ?data-unread=${unreadLine}
    tabindex="-1"
  >
    ${lines}
    <div class="line">
      ${
        others
          ? html`<span class="side">${tail ? avatar(message.sender_id, name, { size: "small", picture }) : nothing}</span>`
          : nothing
      }
      <div class="bubble ${message.text === null ? "gone" : ""}">
        ${
          others && head
            ? html`<p class="sender name-${hue(message.sender_id)}" dir="auto">${name}</p>`
            : html`<span class="hidden">${name}:</span>`
        }
        ${originOf(message)} ${message.reply_to ? quoteOf(chat.id, message.reply_to) : nothing}
        ${filesOf(message)}
        <div class="body">
          <span class="text" dir="auto"
            >${message.text === null ? t("message.deleted") : withLinks(message, mentioned(message))}</span
          >
          <span class="meta">
            ${message.edited_at && message.text !== null ? html`<span>${t("message.edited")}</span>` : nothing}
            <time datetime=${message.timestamp} title=${fullTime(message.timestamp)}
              >${clockTime(message.timestamp)}</time
            >
            ${ticks(chat, message, readUpTo)}
          </span>
        </div>
        ${reactionChips(message)}
      </div>
      ${
        message.text === null
          ? nothing
          : html`<button
              class="round tiny actions"
              tabindex="-1"
              aria-label=${t("message.actions")}
              aria-haspopup="menu"
            >
              ${icon("more")}
            </button>`
      }
    </div>
  </li>`;
}

/** @param {Outgoing} item */
function outgoingItem(item) {
  const failed = item.state === "failed";
  return html`<li class="message mine head tail ${failed ? "failed" : "pending"}" data-key="k${item.key}" tabindex="-1">
    <div class="line">
      <div class="bubble">
        <span class="hidden">${t("app.you")}:</span>
        ${item.reply_to ? quoteOf(item.chat_id, item.reply_to) : nothing} ${filesOf(item)}
        <div class="body">
          <span class="text" dir="auto">${withLinks(item)}</span>
          <span class="meta">
            <time datetime=${item.created_at}>${clockTime(item.created_at)}</time>
            <span class="ticks" title=${t(failed ? "message.failed" : "message.waiting")}>
              ${icon(failed ? "alert" : item.state === "sent" ? "sent" : "waiting", "tick")}
              <span class="hidden">${t(failed ? "message.failed" : "message.waiting")}</span>
            </span>
          </span>
        </div>
      </div>
    </div>
    ${
      failed
        ? html`<p class="failure">
            <span class="danger-text">${t("message.failed")}. ${failure(item.error).text}</span>
            <span>
              <button class="link" @click=${() => attempt(() => client.retry(item))}>${t("action.retry")}</button>
              <button class="link" @click=${() => attempt(() => client.discard(item))}>${t("action.discard")}</button>
            </span>
          </p>`
        : nothing
    }
  </li>`;
}

/**
 * The same before and after a message of this person was sent, so that its element stays.
 * @param {Chat} chat
 * @param {Message} message
 */
function keyOf(chat, message) {
  return message.sender_id === chat.me ? `k${message.client_message_id}` : `m${message.id}`;
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = /** @type {Element} */ (event.target);
  const onBubble = target.closest(".bubble") && !target.closest("a, .quote, .reaction, .files");
  const tapped = onBubble && matchMedia("(hover: none)").matches;
  if (target.closest(".actions") || (tapped && !getSelection()?.toString())) openActions(target.closest("[data-id]"));
}

/** @param {MouseEvent} event a right click, or a long press */
function contextMenu(event) {
  const target = /** @type {Element} */ (event.target);
  const item = target.closest("[data-id]");
  if (!item || target.closest("a") || !target.closest(".bubble") || getSelection()?.toString()) return;
  event.preventDefault();
  openActions(item);
}

/** Arrow keys go from message to message; Enter opens the actions of one. @param {KeyboardEvent} event */
function keydown(event) {
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  const item = /** @type {Element} */ (event.target).closest(".message");
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const all = [...list.querySelectorAll(".message")];
    const index = item ? all.indexOf(item) + (event.key === "ArrowUp" ? -1 : 1) : all.length - 1;
    const next = /** @type {HTMLElement | undefined} */ (all[index]);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } else if (item && event.key === "Enter" && event.target === item) {
    event.preventDefault();
    openActions(item);
  } else if (event.key === "Escape" && item) {
    event.stopPropagation();
    document.getElementById("composer")?.focus();
  }
}

/** @param {Chat} chat */
export function messageList(chat) {
  const { messages, loaded, first, tail } = chat.window;
  const readUpTo = chat.readUpTo(chat.me);
  const outgoing = tail || !loaded ? client.outgoing(chat.id) : [];
  const scrolled = () => {
    scroller.moved();
    markSeen();
  };
  return html`<div
    class="messages"
    id="messages"
    data-chat=${chat.id}
    role="region"
    aria-label=${t("chat.messages")}
    tabindex="0"
    @scroll=${scrolled}
    @click=${clicked}
    @contextmenu=${contextMenu}
    @keydown=${keydown}
  >
    <div class="messages-start">
      ${
        !loaded
          ? html`<p class="faint">${t("app.loading")}</p>`
          : first > 1
            ? html`<p class="faint">${t("chat.loadingOlder")}</p>`
            : html`<p class="faint">${t(messages.length ? "chat.beginning" : "chat.empty")}</p>`
      }
    </div>
    <ol>
      ${repeat(
        messages,
        (message) => keyOf(chat, message),
        (message, index) => messageItem(chat, message, index, readUpTo),
      )}
      ${repeat(outgoing, (item) => item.key, outgoingItem)}
    </ol>
  </div>`;
}
