// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { openChat } from "./actions.js";
import { quotedText, textOf } from "./files.js";
import { icon } from "./format.js";
import { has, t } from "./i18n.js";
import { attempt, client, nameOf, youOr } from "./store.js";

/** What a message has besides its text. */

/** @import {Chat} from "../client/chat.js" */
/** @import {Message} from "../client/types.js" */

/** What the menu of a message offers. */
export const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const MOST = 3;

/** Takes a reaction back, or adds it in place of the oldest. @param {Message} message @param {string} emoji */
export function toggleReaction(message, emoji) {
  const mine = message.my_reactions ?? [];
  const next = mine.includes(emoji) ? mine.filter((other) => other !== emoji) : [...mine, emoji].slice(-MOST);
  void attempt(() => client.react(message, next));
}

/** @param {Message} message */
export function reactionChips(message) {
  if (!message.reactions?.length) return nothing;
  return html`<ul class="reactions" aria-label=${t("message.reactions")}>
    ${message.reactions.map(({ emoji, count }) => {
      const mine = message.my_reactions?.includes(emoji) ?? false;
      return html`<li>
        <button
          class="reaction"
          tabindex="-1"
          aria-pressed=${String(mine)}
          aria-label=${t("message.reaction", { emoji, count })}
          @click=${() => toggleReaction(message, emoji)}
        >
          <span>${emoji}</span>${count > 1 ? html`<span class="count">${count}</span>` : nothing}
        </button>
      </li>`;
    })}
  </ul>`;
}

/** @param {string} chatId @param {{id: number, sender_id: string, text: string}} quote */
export function quoteOf(chatId, quote) {
  const { id, sender_id } = quote;
  return html`<button class="quote" tabindex="-1" @click=${() => openChat(chatId, id)}>
    <b dir="auto">${youOr(sender_id)}</b>
    <span dir="auto">${quotedText(chatId, quote)}</span>
  </button>`;
}

/** @param {Message} message */
export function originOf({ forwarded_from: origin }) {
  if (!origin) return nothing;
  return html`<p class="origin">
    ${icon("forward")}<span dir="auto">${t("message.forwardedFrom", { name: nameOf(origin.user_id) })}</span>
  </p>`;
}

/** The usernames that a message mentions. @param {Message} message @returns {string[]} */
export function mentioned({ mentions = [] }) {
  return mentions.map((id) => client.person(id)?.username ?? "").filter((username) => username !== "");
}

/** What a service entry tells, as a sentence. @param {Message} message */
export function serviceText({ sender_id, event }) {
  if (!event || !has(`service.${event.type}`)) return t("service.other");
  const me = client.account?.id;
  const whom = "user_id" in event ? (event.user_id === me ? t("service.you") : nameOf(event.user_id)) : "";
  const role = "role" in event ? t(`service.role.${event.role}`) : "";
  const name = "name" in event ? event.name : "";
  const key = sender_id === me ? `service.${event.type}.mine` : `service.${event.type}`;
  return t(key, { who: nameOf(sender_id), whom, role, name });
}

/** Pinned messages that are not on the screen. @type {Map<string, Message | null>} */
const fetched = new Map();

/** @param {Chat} chat @param {number} id @returns {Message | undefined} undefined while it is being asked for */
function pinnedMessage(chat, id) {
  const shown = chat.window.get(id);
  if (shown) return shown;
  const key = `${chat.id}/${id}`;
  const known = fetched.get(key);
  if (known !== undefined) return known ?? undefined;
  fetched.set(key, null);
  client.calls.message(chat.id, id).then(
    (message) => {
      if (message) fetched.set(key, message);
      client.emit("chat", chat.id);
    },
    // Not at once: the page is drawn again all the time.
    () => setTimeout(() => fetched.delete(key), 10_000),
  );
  return undefined;
}

/** Which pinned message the next click goes to, by chat, until another one is pinned.
 * @type {WeakMap<Chat, {latest: number | undefined, place: number}>} */
const nextPin = new WeakMap();

/** The bar with the pinned message; a click goes from the latest to the ones before. @param {Chat} chat */
export function pinnedBar(chat) {
  const { pinned } = chat;
  if (pinned.length === 0) return nothing;
  const latest = pinned[pinned.length - 1];
  const next = nextPin.get(chat);
  const place = next && next.latest === latest ? Math.min(next.place, pinned.length - 1) : pinned.length - 1;
  const id = Number(pinned[place]);
  const message = pinnedMessage(chat, id);
  const go = () => {
    nextPin.set(chat, { latest, place: (place + pinned.length - 1) % pinned.length });
    openChat(chat.id, id);
  };
  return html`<button class="pinned" @click=${go}>
    ${icon("pin")}
    <span class="item-text">
      <b>${t("chat.pinned", { count: pinned.length, place: place + 1 })}</b>
      <span class="preview" dir="auto">${message ? textOf(message).slice(0, 200) : ""}</span>
    </span>
  </button>`;
}

/** @param {Chat} chat */
export const mayPin = (chat) => chat.kind === "private" || chat.role !== "member";
