// @ts-check
// Notifications of this device while no page is open. What the server keeps belongs to the session; the browser keeps
// the subscription, and here is noted which login it is for.
import { live } from "../vendor/lit-html/directives/live.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { openChat } from "./actions.js";
import { t } from "./i18n.js";
import { attempt, client, redraw, state, toast } from "./store.js";

/** Which login this device is subscribed for, and whether pushes carry the text. */
const KEY = "windi.push";

/** @typedef {{login: string, text: boolean}} Note */

const supported = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** While the switch is on its way. */
let busy = false;

/** @returns {Note | null} of this login */
function note() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return found?.login === client.session.loginId ? found : null;
  } catch {
    return null;
  }
}

/** @param {boolean} text */
function keep(text) {
  localStorage.setItem(KEY, JSON.stringify({ login: client.session.loginId, text }));
}

function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // A browser without a storage has no note.
  }
}

/** @returns {'unsupported' | 'denied' | 'off' | 'on'} */
function status() {
  if (!supported()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  return note() && Notification.permission === "granted" ? "on" : "off";
}

/** @returns {Promise<PushSubscription | null>} */
async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration(document.baseURI);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** @param {ArrayBuffer | null | undefined} buffer @returns {string} in base64url */
function encoded(buffer) {
  const text = String.fromCharCode(...new Uint8Array(buffer ?? new ArrayBuffer(0)));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text base64url @returns {Uint8Array<ArrayBuffer>} */
function decoded(text) {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

/** Subscribes, or renews what there is, and tells the server. @param {boolean} text whether pushes carry it */
async function subscribe(text) {
  const key = await client.calls.pushKey();
  await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
  const { pushManager } = await navigator.serviceWorker.ready;
  let current = await pushManager.getSubscription();
  // The messenger has another key: nobody can send to it any more.
  if (current && encoded(current.options.applicationServerKey) !== key) {
    await current.unsubscribe();
    current = null;
  }
  current ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: decoded(key) });
  const keys = { p256dh: encoded(current.getKey("p256dh")), auth: encoded(current.getKey("auth")) };
  await client.calls.subscribe({ endpoint: current.endpoint, keys, shows_text: text });
  keep(text);
}

/** Asks for the permission, which a browser allows only after a click. */
async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") return;
  try {
    await subscribe(false);
  } catch (error) {
    // The browser's own: it cannot reach its push service, or has none.
    if (!(error instanceof DOMException)) throw error;
    console.warn(error);
    toast(t("push.failed"), "error");
  }
}

async function turnOff() {
  const current = await subscription();
  forget();
  if (!current) return;
  await current.unsubscribe();
  await client.calls.unsubscribe(current.endpoint);
}

/** @param {() => Promise<void>} work */
async function change(work) {
  if (busy) return;
  busy = true;
  redraw();
  await attempt(work);
  busy = false;
  redraw();
}

/** Somebody has logged in, or this page has been opened: the browser's subscription may be a new one. */
async function renew() {
  const noted = note();
  if (!noted || status() !== "on") return;
  try {
    await subscribe(noted.text);
  } catch (error) {
    // The next page tries again.
    console.warn(error);
  }
}

/** Nobody is logged in any more: the session has taken the server's part along. */
async function clear() {
  forget();
  if (!supported()) return;
  const registration = await navigator.serviceWorker.getRegistration(document.baseURI);
  if (!registration) return;
  const shown = await registration.getNotifications();
  shown.forEach((notification) => notification.close());
  await (await registration.pushManager.getSubscription())?.unsubscribe();
}

/** A chat is read here: what this device has shown of it is not news any more. @param {string} chatId */
export async function closeShown(chatId) {
  if (!supported()) return;
  try {
    const registration = await navigator.serviceWorker.getRegistration(document.baseURI);
    const shown = (await registration?.getNotifications({ tag: chatId })) ?? [];
    shown.forEach((notification) => notification.close());
  } catch (error) {
    // It stays until somebody closes it.
    console.warn(error);
  }
}

/** To be called once. */
export function listenToPushes() {
  client.on("session", (account) => {
    (account ? renew() : clear()).catch((error) => console.warn(error));
  });
  if (!supported()) return;
  // While another window had the focus, the open chat was told of as well.
  addEventListener("focus", () => {
    if (state.view) void closeShown(state.view.chatId);
  });
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (state.screen !== "chats") return;
    if (data?.type === "open") openChat(String(data.chat_id));
    else if (data?.type === "renewed") void renew();
  });
}

/** Two switches, or why there are none. */
export function pushItems() {
  const now = status();
  const text = note()?.text ?? false;
  const toggle = (/** @type {Event} */ event) => {
    const wanted = /** @type {HTMLInputElement} */ (event.target).checked;
    void change(wanted ? turnOn : turnOff);
  };
  const toggleText = (/** @type {Event} */ event) => {
    const wanted = /** @type {HTMLInputElement} */ (event.target).checked;
    void change(() => subscribe(wanted));
  };
  /** @param {string} label @param {boolean} checked @param {(event: Event) => void} act */
  const box = (label, checked, act) =>
    html`<label class="check">
      <input type="checkbox" role="switch" .checked=${live(checked)} ?disabled=${busy} @change=${act} />
      <span>${label}</span>
    </label>`;
  const why = { unsupported: t("push.unsupported"), denied: t("push.denied"), off: null, on: null }[now];
  return html`<h3 class="section">${t("push.title")}</h3>
    ${
      why
        ? html`<p class="faint">${why}</p>`
        : html`${box(t("push.here"), now === "on", toggle)}
          ${now === "on" ? box(t("push.text"), text, toggleText) : nothing}`
    }`;
}
