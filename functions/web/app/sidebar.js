// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { openChat, startPrivate } from "./actions.js";
import { serviceText } from "./details.js";
import { excerpt, plain } from "./excerpt.js";
import { textOf } from "./files.js";
import { avatar, icon, shortTime } from "./format.js";
import { t } from "./i18n.js";
import { openMenu } from "./menu.js";
import { chatActions, isMuted } from "./quiet.js";
import { clearSearch, findMore, search } from "./search.js";
import { client, composes, nameOf, openDialog, pictureOf, redraw, state, titleOf } from "./store.js";

/** @import {Chat} from "../client/chat.js" */
/** @import {Message, Person} from "../client/types.js" */

/** Draws the seconds to the next attempt to connect. @type {any} */
let countdown = null;

function connectionBar() {
  const { connection } = client;
  if (connection === "online" || connection === "stopped") return nothing;
  if (connection === "displaced") {
    return html`<div class="bar warning" role="status">
      <span>${t("connection.displaced")}</span>
      <button class="link" @click=${() => client.connect()}>${t("connection.useHere")}</button>
    </div>`;
  }
  if (connection === "connecting")
    return html`<div class="bar" role="status"><span>${t("connection.connecting")}</span></div>`;
  const seconds = Math.ceil(((client.retryAt ?? Date.now()) - Date.now()) / 1000);
  clearTimeout(countdown);
  countdown = setTimeout(redraw, 1_000);
  return html`<div class="bar warning">
    <span class="hidden" role="status">${t("connection.waiting")}</span>
    <span aria-hidden="true">
      ${seconds > 0 ? t("connection.retryIn", { count: seconds }) : t("connection.waiting")}
    </span>
    <button class="link" @click=${() => client.connect()}>${t("connection.tryNow")}</button>
  </div>`;
}

/** @param {Chat} chat who is typing, in words, or "" */
export function typingText(chat) {
  const typists = client.typists(chat.id).filter((id) => id !== chat.me);
  const [first] = typists;
  if (first === undefined) return "";
  if (chat.kind === "private") return t("chat.typing");
  return typists.length === 1
    ? t("chat.typingOne", { name: nameOf(first) })
    : t("chat.typingMany", { count: typists.length });
}

/** Who wrote a message, unless the name of the chat tells. @param {Chat | undefined} chat @param {string} id */
function speaker(chat, id) {
  if (id === client.account?.id) return t("list.yours");
  return chat?.kind === "private" ? "" : `${nameOf(id)}:`;
}

/** @param {string} who */
const byWhom = (who) => (who ? html`<span class="who">${who}</span> ` : nothing);

/** @param {Chat} chat */
function preview(chat) {
  const typing = typingText(chat);
  if (typing) return html`<span class="accent">${typing}</span>`;
  const draft = client.draft(chat.id);
  if (draft && state.view?.chatId !== chat.id) {
    return html`<span class="danger-text">${t("list.draft")}</span> ${draft.slice(0, 200)}`;
  }
  const [pending] = client.outgoing(chat.id).slice(-1);
  const message = chat.lastMessage;
  if (pending) return html`${byWhom(t("list.yours"))}${textOf(pending).slice(0, 200)}`;
  if (!message) return html`<span class="faint">${t("list.noMessages")}</span>`;
  if (message.event) return html`<i>${serviceText(message)}</i>`;
  if (message.text === null) return html`<i>${t("list.deleted")}</i>`;
  return html`${byWhom(speaker(chat, message.sender_id))}${textOf(message).slice(0, 200)}`;
}

/** @param {Chat} chat */
function stateOf(chat) {
  const [pending] = client.outgoing(chat.id).slice(-1);
  if (pending?.state === "failed") return html`<span class="danger-text">${icon("alert", "tick")}</span>`;
  if (pending) return icon("waiting", "tick");
  const message = chat.lastMessage;
  if (!message || message.text === null || message.sender_id !== chat.me) return nothing;
  return chat.isRead(message) ? html`<span class="accent">${icon("read", "tick")}</span>` : icon("sent", "tick");
}

/** @param {Chat} chat */
function chatItem(chat) {
  const title = titleOf(chat);
  const online = chat.kind === "private" && chat.peer ? (client.status(chat.peer.id)?.online ?? false) : false;
  const current = state.view?.chatId === chat.id;
  const muted = isMuted(chat);
  return html`<li>
    <a
      class="item"
      href="#/chat/${chat.id}"
      aria-current=${current ? "true" : nothing}
      @contextmenu=${(/** @type {MouseEvent} */ event) => {
        event.preventDefault();
        openMenu(/** @type {Element} */ (event.currentTarget), chatActions(chat));
      }}
    >
      ${avatar(chat.peer?.id ?? chat.id, title, { online, group: chat.kind === "group", picture: pictureOf(chat) })}
      <span class="item-text">
        <span class="row">
          <span class="item-title" dir="auto">${title}</span>
          ${online ? html`<span class="hidden">, ${t("list.online")}</span>` : nothing}
          ${muted ? html`${icon("muted", "sign")}<span class="hidden">${t("quiet.muted")}</span>` : nothing}
          ${stateOf(chat)}
          <time class="time" datetime=${chat.activeAt}>${shortTime(chat.activeAt)}</time>
        </span>
        <span class="row">
          <span class="preview" dir="auto">${preview(chat)}</span>
          ${
            chat.unreadMentions > 0
              ? html`<span class="badge at"
                  ><span aria-hidden="true">@</span
                  ><span class="hidden">${t("list.mentions", { count: chat.unreadMentions })}</span></span
                >`
              : nothing
          }
          ${
            chat.unread > 0
              ? html`<span class="badge ${muted ? "low" : ""}"
                  ><span aria-hidden="true">${chat.unread > 999 ? "999+" : chat.unread}</span
                  ><span class="hidden">${t("list.unread", { count: chat.unread })}</span></span
                >`
              : chat.markedUnread
                ? html`<span class="badge dot-badge"><span class="hidden">${t("quiet.markedUnread")}</span></span>`
                : nothing
          }
        </span>
      </span>
    </a>
  </li>`;
}

const newChat = () => void openDialog({ type: "new", found: [], query: "" });

/** @param {Chat[]} chats */
function archive(chats) {
  const toggle = () => {
    state.archive = !state.archive;
    redraw();
  };
  return html`<button class="item archive" aria-expanded=${String(state.archive)} @click=${toggle}>
      <span class="avatar plain">${icon("archive")}</span>
      <span class="item-title">${t("quiet.archived")}</span>
      <span class="faint">${chats.length}</span>
    </button>
    ${
      state.archive
        ? html`<ul class="items" aria-label=${t("quiet.archived")}>
            ${repeat(chats, (chat) => chat.id, chatItem)}
          </ul>`
        : nothing
    }`;
}

function chatList() {
  const { chats } = client;
  if (chats.length === 0 && !client.listed) return html`<p class="empty">${t("app.loading")}</p>`;
  if (chats.length === 0) {
    return html`<div class="empty">
      <p>${t("app.noChats")}</p>
      <button class="primary" @click=${newChat}>${t("list.newChat")}</button>
    </div>`;
  }
  const [shown, archived] = [chats.filter((chat) => !chat.archived), chats.filter((chat) => chat.archived)];
  return html`<ul class="items" aria-label=${t("app.chats")}>
      ${repeat(shown, (chat) => chat.id, chatItem)}
    </ul>
    ${archived.length > 0 ? archive(archived) : nothing}`;
}

/** @param {Person} person */
function personItem(person) {
  return html`<li>
    <button class="item" @click=${() => startPrivate(person.id)}>
      ${avatar(person.id, person.name, {
        online: client.status(person.id)?.online ?? false,
        picture: person.avatar_id,
      })}
      <span class="item-text">
        <span class="item-title" dir="auto">${person.name}</span>
        <span class="preview">${person.username ? `@${person.username}` : ""}</span>
      </span>
    </button>
  </li>`;
}

/** @type {WeakMap<Message, {query: string, parts: unknown[]}>} */
const excerpts = new WeakMap();

/** What a message says around the words that were searched for, which are marked. @param {Message} message */
function found(message) {
  const { query } = state.search;
  const known = excerpts.get(message);
  if (known?.query === query) return known.parts;
  const parts = excerpt(message.text ?? "", query).map((part, index) =>
    index % 2 === 0 ? part : html`<mark>${part}</mark>`,
  );
  excerpts.set(message, { query, parts });
  return parts;
}

/** @param {Message} message */
function hitItem(message) {
  const chat = client.chat(message.chat_id);
  const title = chat ? titleOf(chat) : "";
  return html`<li>
    <button class="item" @click=${() => openChat(message.chat_id, message.id)}>
      ${avatar(chat?.peer?.id ?? message.chat_id, title, {
        group: chat?.kind === "group",
        picture: chat && pictureOf(chat),
      })}
      <span class="item-text">
        <span class="row">
          <span class="item-title" dir="auto">${title}</span>
          <time class="time" datetime=${message.timestamp}>${shortTime(message.timestamp)}</time>
        </span>
        <span class="preview two" dir="auto">${byWhom(speaker(chat, message.sender_id))}${found(message)}</span>
      </span>
    </button>
  </li>`;
}

/**
 * @param {string} heading @param {any[]} entries @param {(entry: any) => any} item
 * @param {"people" | "messages"} [more] what to ask for if there are more
 * @param {boolean} [always] shows the heading also without entries
 */
function section(heading, entries, item, more, always = false) {
  const { busy, next } = state.search;
  const goesOn = more !== undefined && next[more] !== null;
  // A page may have nobody who is not listed above; there is a next one all the same.
  if (entries.length === 0 && !goesOn) return always ? html`<h3 class="section" dir="auto">${heading}</h3>` : nothing;
  return html`<section>
    <h3 class="section" dir="auto">${heading}</h3>
    ${entries.length > 0 ? html`<ul class="items">${entries.map(item)}</ul>` : nothing}
    ${
      goesOn
        ? html`<button
            class="link more"
            aria-disabled=${busy ? "true" : "false"}
            @click=${() => findMore(more)}
          >
            ${t("list.more")}
          </button>`
        : nothing
    }
  </section>`;
}

function results() {
  const { query, chatId, people, messages, next, busy } = state.search;
  const words = plain(query.trim());
  const chats = chatId ? [] : client.chats.filter((chat) => plain(titleOf(chat)).includes(words));
  const known = new Set(chats.map((chat) => chat.peer?.id));
  const strangers = chatId ? [] : people.filter(({ id }) => !known.has(id) && id !== client.account?.id);
  const complete = !busy && !next.people && !next.messages;
  const nothingFound = complete && chats.length + strangers.length + messages.length === 0;
  const scope = chatId ? client.chat(chatId) : undefined;
  const hits = scope ? t("list.in", { name: titleOf(scope) }) : t("list.messages");
  return html`<div aria-busy=${busy ? "true" : "false"}>
    ${section(t("app.chats"), chats, chatItem)} ${section(t("list.people"), strangers, personItem, "people")}
    ${section(hits, messages, hitItem, "messages", scope !== undefined)}
    <p class="empty" role="status">${nothingFound ? t("list.nothing") : busy ? t("list.searching") : nothing}</p>
  </div>`;
}

export function sidebar() {
  const { query, chatId } = state.search;
  const scope = chatId ? client.chat(chatId) : undefined;
  const label = scope ? t("list.searchIn", { name: titleOf(scope) }) : t("list.search");
  const searching = query.trim().length > 0;
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || composes(event)) return;
    event.stopPropagation();
    clearSearch();
  };
  return html`<nav class="sidebar" aria-label=${t("app.chats")}>
    <header class="top">
      <button
        class="me round"
        aria-label=${t("list.settings")}
        title=${t("list.settings")}
        @click=${() => openDialog({ type: "settings" })}
      >
        ${avatar(client.account?.id ?? "", client.account?.name ?? "", {
          size: "small",
          picture: client.account?.avatar_id,
        })}
      </button>
      <h2 class="heading">${t("app.chats")}</h2>
      <button
        class="round"
        aria-label=${t("list.newChat")}
        title=${t("list.newChat")}
        @click=${newChat}
      >
        ${icon("plus")}
      </button>
    </header>
    <div class="search" role="search">
      ${icon("search")}
      <input
        id="search"
        type="search"
        aria-label=${label}
        placeholder=${scope ? label : t("list.searchShort")}
        .value=${live(query)}
        @input=${(/** @type {any} */ event) => search(event.target.value)}
        @keydown=${keydown}
        autocomplete="off"
        maxlength="200"
      />
      ${
        searching || chatId
          ? html`<button class="round tiny" aria-label=${t("list.clearSearch")} @click=${clearSearch}>
              ${icon("close")}
            </button>`
          : nothing
      }
    </div>
    ${connectionBar()}
    <div class="scroll">${searching ? results() : chatList()}</div>
  </nav>`;
}
