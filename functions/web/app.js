// @ts-check
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { follow, leave, markSeen, openPending, closeChat } from "./app/actions.js";
import { forgetAttached } from "./app/attach.js";
import { conversation, fitComposer } from "./app/conversation.js";
import { dialogs, showDialogs } from "./app/dialogs.js";
import { textOf } from "./app/files.js";
import { loadIcons } from "./app/format.js";
import { loadLanguage, t } from "./app/i18n.js";
import { leaving } from "./app/info.js";
import { openJoin } from "./app/invites.js";
import { loginScreen } from "./app/login.js";
import { closeMenu, menu, placeMenu } from "./app/menu.js";
import { forgetPictures, showPictures } from "./app/pictures.js";
import { listenToPushes } from "./app/push.js";
import { isMuted } from "./app/quiet.js";
import { scroller } from "./app/scroller.js";
import { forgetSearch } from "./app/search.js";
import { sidebar } from "./app/sidebar.js";
import {
  announce,
  client,
  closeAllDialogs,
  composes,
  nameOf,
  onDraw,
  redraw,
  state,
  titleOf,
  toast,
} from "./app/store.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));

function page() {
  if (state.screen === "starting")
    return html`<main class="entry" aria-busy="true" aria-label=${t("app.loading")}></main>`;
  if (state.screen !== "chats") return loginScreen();
  return html`<main class="panes ${state.view ? "with-chat" : ""}">
    <h1 class="hidden">${t("app.name")}</h1>
    ${sidebar()}${conversation()}${menu(false)}
  </main>`;
}

function draw() {
  if (state.screen === "chats") openPending();
  scroller.before();
  render(
    html`${page()}${dialogs()}
      <div class="toasts" role="alert">
        ${state.toast ? html`<p class="toast ${state.toast.kind}">${state.toast.text}</p>` : nothing}
      </div>`,
    root,
  );
  showDialogs();
  showPictures();
  placeMenu();
  const composer = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("composer"));
  if (composer && composer.dataset["fitted"] !== composer.value) {
    composer.dataset["fitted"] = composer.value;
    fitComposer(composer);
  }
  if (composer && state.view?.focus) {
    state.view.focus = false;
    composer.focus({ preventScroll: true });
  }
  scroller.after();
  markSeen();
  const unread = client.chats.reduce((sum, chat) => sum + (isMuted(chat) || chat.archived ? 0 : chat.unread), 0);
  document.title = unread > 0 ? `(${unread}) ${t("app.name")}` : t("app.name");
}

/** Shows what the address says: a chat, or where a link into a group leads. */
function go() {
  const code = /^#\/join\/([0-9A-Za-z]+)$/.exec(location.hash)?.[1];
  if (!code) return follow();
  // The link is used once: Back and a reload lead to the chats.
  history.replaceState(null, "", "#/");
  leave();
  void openJoin(code);
}

function listen() {
  client.on("chat", redraw);
  client.on("connection", redraw);
  client.on("session", (account) => {
    state.screen = account ? "chats" : "login";
    state.formErrors = [];
    // Nothing that one person saw or asked for is shown to the next.
    state.toast = null;
    forgetSearch();
    forgetAttached();
    forgetPictures();
    announce("");
    closeAllDialogs();
    closeMenu();
    if (account) go();
    else leave();
    redraw();
  });
  client.on("ended", (reason) => {
    state.notice = reason === "logged_out" ? null : t(`ended.${reason}`);
    if (reason === "logged_out") history.replaceState(null, "", "#/");
  });
  client.on("removed", ({ chat }) => {
    if (!leaving.delete(chat.id)) toast(t("chat.removed", { name: titleOf(chat) }));
    state.dialogs.filter((dialog) => dialog.chatId === chat.id).forEach(() => closeAllDialogs());
    if (state.view?.chatId === chat.id) closeChat();
  });
  client.on("message", (message) => {
    const { sender_id, text } = message;
    const chat = client.chat(message.chat_id);
    if (sender_id === client.account?.id || text === null || (chat && isMuted(chat))) return;
    const account = client.account?.id;
    const tell = () => {
      if (client.account?.id !== account) return;
      announce(t("chat.announce", { name: nameOf(sender_id), text: textOf(message).slice(0, 300) }));
    };
    // A name that is not known yet is being asked for.
    if (client.person(sender_id)) tell();
    else setTimeout(tell, 1_000);
  });
  listenToPushes();
  addEventListener("hashchange", () => {
    if (state.screen === "chats") go();
  });
  addEventListener("online", () => client.wake());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    client.wake();
    redraw();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || composes(event) || state.dialogs.length > 0) return;
    if (state.menu) closeMenu();
    else if (state.view) closeChat();
  });
  // The words "a minute ago" go out of date by themselves.
  setInterval(redraw, 60_000);
}

onDraw(draw);
listen();
// Icons show up when they are there; nothing waits for them.
const icons = () => void loadIcons().catch(() => setTimeout(icons, 2_000));
icons();
await loadLanguage();
try {
  if (!(await client.start())) state.screen = "login";
} catch (error) {
  console.error(error);
  state.screen = "login";
  state.notice = t("app.storageFailed");
}
redraw();
