// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { locale, t } from "./i18n.js";
import { splitLinks } from "./links.js";

const DAY = 86_400_000;
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {Date} date @param {Intl.DateTimeFormatOptions} options */
function format(date, options) {
  const name = JSON.stringify(options);
  let made = formats.get(name);
  if (!made) formats.set(name, (made = new Intl.DateTimeFormat(locale, options)));
  return made.format(date);
}

/** @param {Date} date */
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** @param {string} timestamp */
const daysAgo = (timestamp) => Math.round((midnight(new Date()) - midnight(new Date(timestamp))) / DAY);

/** @param {string} timestamp */
export const clockTime = (timestamp) => format(new Date(timestamp), { hour: "2-digit", minute: "2-digit" });

/** @param {string} timestamp */
export const fullTime = (timestamp) => format(new Date(timestamp), { dateStyle: "long", timeStyle: "short" });

/** A number that is the same for all times of one local day. @param {string} timestamp */
export const dayOf = (timestamp) => midnight(new Date(timestamp));

/** @param {string} timestamp */
export function dayName(timestamp) {
  const days = daysAgo(timestamp);
  if (days === 0) return t("chat.today");
  if (days === 1) return t("chat.yesterday");
  const date = new Date(timestamp);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return format(date, { day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) });
}

/** As short as it can be, for a list. @param {string} timestamp */
export function shortTime(timestamp) {
  const days = daysAgo(timestamp);
  if (days <= 0) return clockTime(timestamp);
  if (days < 7) return format(new Date(timestamp), { weekday: "short" });
  return format(new Date(timestamp), { day: "2-digit", month: "2-digit", year: "2-digit" });
}

/** How long ago, in words. @param {string} timestamp */
export function ago(timestamp) {
  const seconds = Math.max(0, (Date.now() - Date.parse(timestamp)) / 1000);
  if (seconds < 60) return t("chat.justNow");
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (seconds < 3600) return relative.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86_400) return relative.format(-Math.round(seconds / 3600), "hour");
  if (seconds < 7 * 86_400) return relative.format(-daysAgo(timestamp), "day");
  return format(new Date(timestamp), { dateStyle: "medium" });
}

/** @param {string} name up to two letters of it */
export function initials(name) {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => [...word].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? "");
  const last = letters.length > 1 ? letters[letters.length - 1] : "";
  return ((letters[0] ?? "?") + last).toLocaleUpperCase(locale);
}

/** One of ten colours, always the same for an id. @param {string} id */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum % 10;
}

/**
 * The initials of a name, and above them the picture, once it is loaded.
 * @param {string} id @param {string} name
 * @param {{size?: string, online?: boolean, group?: boolean, picture?: string | null | undefined}} [options]
 */
export function avatar(id, name, { size = "", online = false, group = false, picture = null } = {}) {
  return html`<span class="avatar hue-${hue(id)} ${size} ${group ? "square" : ""}" aria-hidden="true"
    >${initials(name)}${picture ? html`<img data-file=${picture} alt="" />` : nothing}${
      online ? html`<span class="dot"></span>` : nothing
    }</span
  >`;
}

/**
 * Puts the icons into the document. A reference into another file would be fetched again for each new icon, and would
 * be missing without a connection.
 */
export async function loadIcons() {
  const response = await fetch(new URL("../icons.svg", import.meta.url));
  const { documentElement: sprite } = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
  sprite.setAttribute("class", "hidden");
  sprite.setAttribute("aria-hidden", "true");
  document.body.append(sprite);
}

/** @param {string} name @param {string} [extra] */
export function icon(name, extra = "") {
  return html`<svg class="icon ${extra}" aria-hidden="true"><use href="#icon-${name}"></use></svg>`;
}

/** An icon that one place needs, and that is therefore not in `icons.svg`. @param {string} path */
export function outline(path) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path
      d=${path}
      fill="none"
      stroke="currentColor"
      stroke-width="1.900"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>`;
}

/** @type {WeakMap<object, {text: string, names: string, parts: unknown[]}>} */
const linked = new WeakMap();

/**
 * A text in which the usernames of those mentioned stand out.
 * @param {string} text @param {Set<string>} usernames
 */
function withMentions(text, usernames) {
  if (usernames.size === 0) return text;
  return text.split(/(@[a-z0-9_.-]+)/i).map((part, index) => {
    if (index % 2 === 0) return part;
    const full = part.slice(1).toLowerCase();
    const name = [full, full.replace(/[.-]+$/, "")].find((candidate) => usernames.has(candidate));
    if (name === undefined) return part;
    const end = name.length + 1;
    return html`<b class="mention">${part.slice(0, end)}</b>${part.slice(end)}`;
  });
}

/**
 * The text of a message with its links. Everything else stays text: nothing in it is read as HTML.
 * @param {{text: string | null}} message
 * @param {string[]} [usernames] of those it mentions
 */
export function withLinks(message, usernames = []) {
  const text = message.text ?? "";
  const names = usernames.join(" ");
  const known = linked.get(message);
  if (known?.text === text && known.names === names) return known.parts;
  const set = new Set(usernames);
  const parts = splitLinks(text).map((part, index) =>
    index % 2 === 0
      ? withMentions(part, set)
      : html`<a href=${part} target="_blank" rel="noopener noreferrer">${part}</a>`,
  );
  linked.set(message, { text, names, parts });
  return parts;
}

/** A browser and a system out of a User-Agent, as far as that can be said. @param {string | null} agent */
export function deviceName(agent) {
  if (!agent) return t("settings.unknownDevice");
  const browser = [
    ["Edg", "Edge"],
    ["OPR", "Opera"],
    ["YaBrowser", "Yandex Browser"],
    ["Firefox", "Firefox"],
    ["HeadlessChrome", "Chrome"],
    ["Chrome", "Chrome"],
    ["Safari", "Safari"],
  ].find(([mark]) => agent.includes(`${mark}/`))?.[1];
  const system = [
    ["Android", "Android"],
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Windows", "Windows"],
    ["Mac OS", "macOS"],
    ["CrOS", "ChromeOS"],
    ["Linux", "Linux"],
  ].find(([mark]) => agent.includes(String(mark)))?.[1];
  if (browser && system) return t("settings.device", { browser, system });
  return agent.length > 60 ? `${agent.slice(0, 60)}…` : agent;
}
