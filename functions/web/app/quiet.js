// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { closeChat } from "./actions.js";
import { icon } from "./format.js";
import { formError } from "./forms.js";
import { t } from "./i18n.js";
import { attempt, client, confirm, openDialog, state, submit, titleOf } from "./store.js";

/** Being left alone: what a chat is to this person, and whom they have blocked. */

/** @import {Chat} from "../client/chat.js" */

const HOUR = 3_600_000;
/** Long enough to be for ever. */
const FOR_EVER = "9999-12-31T00:00:00.000Z";

/** @param {Chat} chat */
export const isMuted = (chat) => chat.isMuted(Date.now());

/** @param {Chat} chat @param {Parameters<typeof client.set>[1]} change */
const set = (chat, change) => void attempt(() => client.set(chat.id, change));

/**
 * What can be done to a chat in the list.
 * @param {Chat} chat
 * @returns {Array<{label: string, icon: string, danger?: boolean, act: () => void}>}
 */
export function chatActions(chat) {
  const muted = isMuted(chat);
  const unread = chat.unread > 0 || chat.markedUnread;
  return [
    muted
      ? { label: t("quiet.unmute"), icon: "bell", act: () => set(chat, { muted_until: null }) }
      : { label: t("quiet.mute"), icon: "muted", act: () => void openDialog({ type: "mute", chatId: chat.id }) },
    chat.archived
      ? { label: t("quiet.unarchive"), icon: "archive", act: () => set(chat, { archived: false }) }
      : { label: t("quiet.archive"), icon: "archive", act: () => set(chat, { archived: true }) },
    unread
      ? { label: t("quiet.markRead"), icon: "read", act: () => markRead(chat) }
      : { label: t("quiet.markUnread"), icon: "chat", act: () => set(chat, { marked_unread: true }) },
    ...(chat.kind === "private"
      ? [{ label: t("hide.label"), icon: "trash", danger: true, act: () => hide(chat) }]
      : []),
  ];
}

/** Takes a chat off the list. @param {Chat} chat */
function hide(chat) {
  confirm({
    title: t("hide.title", { name: titleOf(chat) }),
    text: t("hide.text"),
    label: t("hide.label"),
    act: async () => {
      await client.set(chat.id, { hidden: true });
      if (state.view?.chatId === chat.id) closeChat();
    },
  });
}

/** @param {Chat} chat */
function markRead(chat) {
  if (chat.unread > 0) client.read(chat, chat.lastMessageId);
  if (chat.markedUnread) set(chat, { marked_unread: false });
}

/** For how long. @param {import("./store.js").Dialog} dialog */
export function muteDialog(dialog) {
  const chat = client.chat(String(dialog.chatId));
  if (!chat) return nothing;
  const mute = (/** @type {string} */ muted_until) => submit(dialog, () => client.set(chat.id, { muted_until }));
  const choices = [
    { label: t("quiet.hours", { count: 1 }), until: () => new Date(Date.now() + HOUR).toISOString() },
    { label: t("quiet.hours", { count: 8 }), until: () => new Date(Date.now() + 8 * HOUR).toISOString() },
    { label: t("quiet.days", { count: 7 }), until: () => new Date(Date.now() + 7 * 24 * HOUR).toISOString() },
    { label: t("quiet.forEver"), until: () => FOR_EVER },
  ];
  return html`<ul class="items">
    ${choices.map(
      ({ label, until }) =>
        html`<li>
          <button class="item" @click=${() => mute(until())}><span class="item-title">${label}</span></button>
        </li>`,
    )}
    </ul>
    ${formError(dialog.error)}`;
}

/** The same things, and more, in the details of a chat. @param {Chat} chat */
export function chatButtons(chat) {
  const items = chatActions(chat);
  const { peer } = chat;
  return html`${items.map(
    (item) =>
      html`<button class="item ${item.danger ? "danger-text" : ""}" @click=${item.act}>
        <span class="avatar plain">${icon(item.icon)}</span><span class="item-title">${item.label}</span>
      </button>`,
  )}
  ${chat.kind === "private" && peer ? blockButton(peer) : nothing}`;
}

/** @param {{id: string, name: string}} person */
function blockButton({ id, name }) {
  const blocked = client.own.isBlocked(id);
  const block = () =>
    confirm({
      title: t("quiet.blockTitle", { name }),
      text: t("quiet.blockText"),
      label: t("quiet.block"),
      act: () => client.own.block(id, true),
    });
  const unblock = () => void attempt(() => client.own.block(id, false));
  return html`<button class="item ${blocked ? "" : "danger-text"}" @click=${blocked ? unblock : block}>
    <span class="avatar plain">${icon("block")}</span>
    <span class="item-title">${t(blocked ? "quiet.unblock" : "quiet.block")}</span>
  </button>`;
}

/** Why nobody can write in a chat, in place of the field to write in; null if they can. @param {Chat} chat */
export function closedFor(chat) {
  const { peer } = chat;
  if (peer && chat.kind === "private" && client.own.isBlocked(peer.id)) {
    return html`<div class="closed">
      <p>${t("quiet.youBlocked", { name: peer.name })}</p>
      <button class="link" @click=${() => attempt(() => client.own.block(peer.id, false))}>
        ${t("quiet.unblock")}
      </button>
    </div>`;
  }
  if (chat.posting === "admins" && chat.role === "member") {
    return html`<div class="closed"><p>${t("chat.adminsOnly")}</p></div>`;
  }
  return null;
}
