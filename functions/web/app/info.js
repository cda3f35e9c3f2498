// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { about } from "./about.js";
import { closeChat, startPrivate } from "./actions.js";
import { ago, avatar, icon, withLinks } from "./format.js";
import { t } from "./i18n.js";
import { openInvites } from "./invites.js";
import { openMenu } from "./menu.js";
import { portraitButtons } from "./portrait.js";
import { chatButtons } from "./quiet.js";
import { attempt, client, confirm, openDialog, titleOf, toast } from "./store.js";

/** @import {Dialog} from "./store.js" */
/** @import {Chat} from "../client/chat.js" */
/** @import {Member} from "../client/types.js" */

const RANK = { owner: 2, admin: 1, member: 0 };

/** Chats this person is leaving on purpose. @type {Set<string>} */
export const leaving = new Set();

/** @param {string} id */
function statusText(id) {
  const status = client.status(id);
  if (status?.online) return html`<span class="accent">${t("chat.online")}</span>`;
  return status?.last_seen_at ? t("chat.lastSeen", { when: ago(status.last_seen_at) }) : "";
}

/** @param {Chat} chat @param {Member} member */
function memberActions(chat, member) {
  const { id, name, role } = member;
  const mine = RANK[chat.role];
  const setRole = (/** @type {import("../client/types.js").Role} */ wanted) =>
    client.group(chat.id, client.calls.setRole(chat.id, id, wanted));
  const makeOwner = () =>
    confirm({
      title: t("info.ownerTitle", { name }),
      text: t("info.ownerText", { name }),
      label: t("info.makeOwner"),
      act: () => setRole("owner"),
    });
  const remove = () =>
    confirm({
      title: t("info.removeTitle", { name }),
      text: t("info.removeText"),
      label: t("info.removeYes"),
      act: () => client.group(chat.id, client.calls.removeMember(chat.id, id)),
    });
  /** @type {Parameters<typeof openMenu>[1]} */
  const actions = [{ label: t("info.write"), icon: "chat", act: () => void startPrivate(id) }];
  if (mine === 2) {
    actions.push(
      role === "admin"
        ? { label: t("info.makeMember"), icon: "user", act: () => void attempt(() => setRole("member")) }
        : { label: t("info.makeAdmin"), icon: "check", act: () => void attempt(() => setRole("admin")) },
      { label: t("info.makeOwner"), icon: "group", act: makeOwner },
    );
  }
  if (mine > RANK[role]) actions.push({ label: t("info.remove"), icon: "trash", danger: true, act: remove });
  return actions;
}

/** @param {Chat} chat @param {Member} member */
function memberItem(chat, member) {
  const { id, name, username, role, avatar_id } = member;
  const me = id === chat.me;
  const online = me || (client.status(id)?.online ?? false);
  const open = (/** @type {any} */ event) => openMenu(event.currentTarget, memberActions(chat, member));
  return html`<li class="item">
    ${avatar(id, name, { online, picture: avatar_id })}
    <span class="item-text">
      <span class="item-title" dir="auto">${me ? t("app.youIn", { name }) : name}</span>
      <span class="preview">${username ? `@${username}` : statusText(id)}</span>
    </span>
    ${role === "member" ? nothing : html`<span class="role">${t(`role.${role}`)}</span>`}
    ${
      me
        ? nothing
        : html`<button
            class="round"
            aria-label=${t("info.memberActions", { name })}
            aria-haspopup="menu"
            @click=${open}
          >
            ${icon("more")}
          </button>`
    }
  </li>`;
}

/** Does what takes this person out of a chat, on purpose. @param {Chat} chat @param {Promise<unknown>} call */
async function go(chat, call) {
  leaving.add(chat.id);
  try {
    await client.group(chat.id, call);
  } catch (error) {
    leaving.delete(chat.id);
    throw error;
  }
}

/** @param {Chat} chat */
function leave(chat) {
  confirm({
    title: t("info.leaveTitle", { name: titleOf(chat) }),
    text: t("info.leaveText"),
    label: t("info.leave"),
    act: async () => {
      await go(chat, client.calls.removeMember(chat.id, chat.me));
      toast(t("chat.left", { name: titleOf(chat) }));
      closeChat();
    },
  });
}

/** @param {Chat} chat */
function dissolve(chat) {
  confirm({
    title: t("info.dissolveTitle", { name: titleOf(chat) }),
    text: t("info.dissolveText"),
    label: t("info.dissolve"),
    act: async () => {
      await go(chat, client.calls.dissolve(chat.id));
      closeChat();
    },
  });
}

/** @param {Dialog} dialog @param {Chat} chat */
function group(dialog, chat) {
  const members = [...(chat.members?.values() ?? [])].sort(
    (a, b) => RANK[b.role] - RANK[a.role] || a.name.localeCompare(b.name),
  );
  const manages = RANK[chat.role] > 0;
  const save = (/** @type {string | null} */ picture_id) =>
    client.group(chat.id, client.calls.change(chat.id, { picture_id }));
  return html`<div class="profile">
      ${avatar(chat.id, titleOf(chat), { size: "large", group: true, picture: chat.pictureId })}
      ${manages ? portraitButtons(dialog, chat.pictureId, save) : nothing}
      <p class="profile-name" dir="auto">
        ${titleOf(chat)}
        ${
          manages
            ? html`<button
                class="round tiny"
                aria-label=${t("info.rename")}
                title=${t("info.rename")}
                @click=${() => openDialog({ type: "rename", chatId: chat.id })}
              >
                ${icon("edit")}
              </button>`
            : nothing
        }
      </p>
      <p class="faint">${t("chat.members", { count: members.length })}</p>
      ${chat.description ? html`<p class="about" dir="auto">${withLinks({ text: chat.description })}</p>` : nothing}
    </div>
    ${chatButtons(chat)}
    ${
      manages
        ? html`<button class="item" @click=${() => openDialog({ type: "add", chatId: chat.id, found: [], query: "" })}>
              <span class="avatar plain">${icon("plus")}</span><span class="item-title">${t("info.add")}</span>
            </button>
            <button class="item" @click=${() => openInvites(chat.id)}>
              <span class="avatar plain">${icon("link")}</span><span class="item-title">${t("invite.title")}</span>
            </button>`
        : nothing
    }
    <ul class="items" aria-label=${t("info.members")}>
      ${members.map((member) => memberItem(chat, member))}
    </ul>
    <button class="item danger-text" @click=${() => leave(chat)}>
      <span class="avatar plain">${icon("leave")}</span><span class="item-title">${t("info.leave")}</span>
    </button>
    ${
      chat.role === "owner"
        ? html`<button class="item danger-text" @click=${() => dissolve(chat)}>
            <span class="avatar plain">${icon("trash")}</span><span class="item-title">${t("info.dissolve")}</span>
          </button>`
        : nothing
    }`;
}

/** @param {Dialog} dialog @param {Chat} chat */
function person(dialog, chat) {
  const { peer } = chat;
  if (!peer) return nothing;
  return html`<div class="profile">
    ${avatar(peer.id, peer.name, { size: "large", picture: peer.avatar_id })}
    <p class="profile-name" dir="auto">${peer.name}</p>
    ${peer.username ? html`<p class="faint">@${peer.username}</p>` : nothing}
      <p class="faint">${statusText(peer.id)}</p>
      ${about(dialog, peer.id)}
    </div>
    ${chatButtons(chat)}`;
}

/** @param {Dialog} dialog */
export function infoDialog(dialog) {
  const chat = client.chat(String(dialog.chatId));
  if (!chat) return { title: "", body: nothing };
  const isGroup = chat.kind === "group";
  const body = isGroup ? group(dialog, chat) : person(dialog, chat);
  return { title: t(isGroup ? "info.group" : "info.person"), body };
}
