// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { closeChat, editLast, sendOrSave, stopEditing, stopReply, toNewest } from "./actions.js";
import { attachButton, attachedChips, attachedTo, dropTarget, notReady, paste } from "./attach.js";
import { pinnedBar } from "./details.js";
import { textOf } from "./files.js";
import { ago, avatar, icon } from "./format.js";
import { t } from "./i18n.js";
import { messageList } from "./messages.js";
import { closedFor } from "./quiet.js";
import { searchIn } from "./search.js";
import { typingText } from "./sidebar.js";
import { client, composes, openDialog, pictureOf, redraw, state, titleOf, youOr } from "./store.js";

/** @import {Chat} from "../client/chat.js" */

/** @param {Chat} chat */
function subtitle(chat) {
  const { connection } = client;
  if (connection === "connecting") return t("connection.connecting");
  if (connection !== "online") return t("connection.waiting");
  const typing = typingText(chat);
  if (typing) return html`<span class="accent">${typing}</span>`;
  if (chat.kind === "private") {
    const status = chat.peer ? client.status(chat.peer.id) : undefined;
    if (status?.online) return html`<span class="accent">${t("chat.online")}</span>`;
    if (status?.last_seen_at) return t("chat.lastSeen", { when: ago(status.last_seen_at) });
    return chat.peer?.username ? `@${chat.peer.username}` : nothing;
  }
  if (!chat.members) return nothing;
  const members = t("chat.members", { count: chat.members.size });
  const online = [...chat.members.keys()].filter((id) => id === chat.me || client.status(id)?.online).length;
  return online > 1 ? t("chat.membersOnline", { members, count: online }) : members;
}

/** @param {Chat} chat */
function header(chat) {
  const title = titleOf(chat);
  return html`<header class="top">
    <button class="round back" aria-label=${t("action.back")} @click=${closeChat}>${icon("back")}</button>
    <button
      class="who-header"
      title=${t("chat.info")}
      aria-haspopup="dialog"
      @click=${() => openDialog({ type: "info", chatId: chat.id })}
    >
      ${avatar(chat.peer?.id ?? chat.id, title, {
        size: "medium",
        group: chat.kind === "group",
        picture: pictureOf(chat),
      })}
      <span class="item-text">
        <span class="item-title" dir="auto">${title}</span>
        <span class="subtitle">${subtitle(chat)}</span>
      </span>
    </button>
    <h2 class="hidden" id="chat-title">${title}</h2>
    <button
      class="round"
      aria-label=${t("chat.search")}
      title=${t("chat.search")}
      @click=${() => {
        if (matchMedia("(max-width: 719px)").matches) closeChat();
        searchIn(chat.id);
      }}
    >
      ${icon("search")}
    </button>
  </header>`;
}

/** As high as its text, up to a limit. @param {HTMLTextAreaElement} area */
export function fitComposer(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 180)}px`;
}

/** What is being edited or answered. @param {NonNullable<typeof state.view>} view */
function subject({ editing, replying }) {
  const message = editing ?? replying;
  if (!message) return nothing;
  return html`<div class="editing">
    ${icon(editing ? "edit" : "reply")}
    <p><b dir="auto">${editing ? t("chat.editing") : t("chat.replying", { name: youOr(message.sender_id) })}</b
      ><span dir="auto">${textOf(message)}</span></p>
    <button
      type="button"
      class="round tiny"
      aria-label=${t("action.cancel")}
      @click=${editing ? stopEditing : stopReply}
    >
      ${icon("close")}
    </button>
  </div>`;
}

/** @param {Chat} chat */
function composer(chat) {
  const view = /** @type {NonNullable<typeof state.view>} */ (state.view);
  const text = view.editing ? view.editText : client.draft(chat.id);
  const reason = view.editing ? "" : notReady(chat.id);
  const nothingToSend = !text.trim() && (view.editing || attachedTo(chat.id) === 0);
  const label = t(view.editing ? "chat.saveEdit" : "chat.send");
  const input = (/** @type {any} */ { target }) => {
    if (view.editing) view.editText = target.value;
    else {
      client.setDraft(chat.id, target.value);
      client.typing(chat.id, target.value.trim() !== "");
    }
    fitComposer(target);
    redraw();
  };
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    // An input method takes these keys for itself.
    if (composes(event)) return;
    // Without a mouse there is hardly a Shift key: Enter makes a new line, and the button sends.
    if (event.key === "Enter" && !event.shiftKey && matchMedia("(hover: hover)").matches) {
      event.preventDefault();
      sendOrSave();
    } else if (event.key === "ArrowUp" && text === "" && !view.editing) {
      event.preventDefault();
      editLast();
    } else if (event.key === "Escape" && (view.editing || view.replying)) {
      event.stopPropagation();
      if (view.editing) stopEditing();
      else stopReply();
    }
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    sendOrSave();
    document.getElementById("composer")?.focus();
  };
  return html`<form class="composer" @submit=${submit}>
    ${subject(view)} ${view.editing ? nothing : attachedChips(chat.id)}
    <div class="compose-row">
      <textarea
        id="composer"
        rows="1"
        dir="auto"
        aria-label=${t("chat.write")}
        placeholder=${t("chat.write")}
        .value=${live(text)}
        @input=${input}
        @keydown=${keydown}
        @paste=${(/** @type {ClipboardEvent} */ event) => view.editing || paste(chat.id, event)}
      ></textarea>
      ${view.editing ? nothing : attachButton(chat.id)}
      <button
        class="send"
        aria-label=${label}
        title=${reason || label}
        aria-describedby=${reason ? "not-ready" : nothing}
        ?disabled=${nothingToSend || reason !== ""}
      >
        ${icon(view.editing ? "check" : "send")}
      </button>
    </div>
  </form>`;
}

/** @param {Chat} chat */
function downButton(chat) {
  if (state.view?.following || !chat.window.loaded) return nothing;
  return html`<button class="to-newest" aria-label=${t("chat.toNewest")} @click=${toNewest}>
    ${icon("down")}
    ${
      chat.unread > 0
        ? html`<span class="badge" aria-hidden="true">${chat.unread > 999 ? "999+" : chat.unread}</span>`
        : nothing
    }
  </button>`;
}

export function conversation() {
  const { view } = state;
  const chat = view && client.chat(view.chatId);
  if (!view) {
    return html`<section class="conversation blank">
      <p>${icon("chat")}${t("app.empty")}</p>
    </section>`;
  }
  if (!chat) {
    return html`<section class="conversation blank">
      <p>${client.listed ? t("chat.notFound") : t("app.loading")}</p>
      ${client.listed ? html`<button class="link back" @click=${closeChat}>${t("action.back")}</button>` : nothing}
    </section>`;
  }
  const closed = closedFor(chat);
  const target = dropTarget(chat.id, !closed && !view.editing);
  return html`<section
    class="conversation"
    aria-labelledby="chat-title"
    @dragover=${target.dragover}
    @dragleave=${target.dragleave}
    @drop=${target.drop}
  >
    ${header(chat)} ${pinnedBar(chat)}
    <div class="middle">${messageList(chat)} ${downButton(chat)}</div>
    ${closed ?? composer(chat)}
    ${target.over ? html`<p class="drop-here" aria-hidden="true">${icon("clip")}${t("attach.drop")}</p>` : nothing}
  </section>`;
}
