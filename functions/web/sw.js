// @ts-check
// The service worker: shows what a push service brings while no page is in front, and opens the chat that it is about.
// It keeps nothing and answers no request, so the page is the same without it.

{
  const worker = /** @type {any} */ (self);

  /** It has no access to the page's words, and needs few. @type {Record<string, {message: string}>} */
  const WORDS = { en: { message: "New message" }, ru: { message: "Новое сообщение" } };
  const language = String(worker.navigator.language).toLowerCase().split("-")[0] ?? "";
  const words = WORDS[language] ?? { message: "New message" };

  /** The open pages of the messenger, the last one used first. @returns {Promise<any[]>} */
  async function pages() {
    const { pathname } = new URL(worker.registration.scope);
    const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    return windows.filter((/** @type {any} */ { url }) => new URL(url).pathname === pathname);
  }

  /** @param {any} data of the push */
  async function show(data) {
    // The page itself shows what is new.
    if ((await pages()).some(({ focused }) => focused)) return;
    const { chat_id, title, body } = data.json();
    await worker.registration.showNotification(title, {
      body: body ?? words.message,
      // One for each chat; a newer one makes itself heard.
      tag: chat_id,
      renotify: true,
      data: { chat_id },
    });
  }

  /** @param {string} chatId */
  async function open(chatId) {
    const [page] = await pages();
    if (!page) {
      const address = new URL(`#/chat/${encodeURIComponent(chatId)}`, worker.registration.scope);
      return worker.clients.openWindow(address.href);
    }
    page.postMessage({ type: "open", chat_id: chatId });
    return page.focus();
  }

  /** The browser has ended the subscription. The next page tells the server of the new one. @param {any} event */
  async function renew(event) {
    const options = event.oldSubscription?.options;
    if (!event.newSubscription && options) await worker.registration.pushManager.subscribe(options);
    for (const page of await pages()) page.postMessage({ type: "renewed" });
  }

  worker.addEventListener("install", () => void worker.skipWaiting());
  worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
  worker.addEventListener("push", (/** @type {any} */ event) => {
    if (event.data) event.waitUntil(show(event.data));
  });
  worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
    event.notification.close();
    event.waitUntil(open(event.notification.data.chat_id));
  });
  worker.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) => event.waitUntil(renew(event)));
}
