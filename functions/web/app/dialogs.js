// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { openChat } from "./actions.js";
import { pictureDialog } from "./files.js";
import { avatar, icon } from "./format.js";
import { field, fields, formError } from "./forms.js";
import { t } from "./i18n.js";
import { infoDialog } from "./info.js";
import { invitesDialog, joinDialog } from "./invites.js";
import { menu } from "./menu.js";
import { muteDialog } from "./quiet.js";
import { emailDialog } from "./recover.js";
import { reportDialog } from "./report.js";
import { blockedDialog, farewellDialog, passwordDialog, profileDialog, settingsDialog } from "./settings.js";
import { client, closeDialog, failure, openDialog, pictureOf, redraw, state, submit, titleOf } from "./store.js";

/** @import {Dialog} from "./store.js" */
/** @import {Person} from "../client/types.js" */

/** What a group can choose for its slow mode, in seconds. */
const SLOW = [0, 10, 30, 60, 300, 900, 3600];

/** @type {any} */
let timer = null;

/** Finds people while a name is typed. @param {Dialog} dialog @param {string} query */
export function findPeople(dialog, query) {
  dialog.query = query;
  clearTimeout(timer);
  const words = query.trim();
  if (!words) dialog.found = [];
  else {
    timer = setTimeout(async () => {
      try {
        const found = await client.calls.findPeople(words);
        if (dialog.query?.trim() === words) Object.assign(dialog, { found, error: null });
      } catch (error) {
        dialog.error = failure(error);
      }
      redraw();
    }, 250);
  }
  redraw();
}

/**
 * The field to find people with, and those found.
 * @param {Dialog} dialog
 * @param {(person: Person) => void} choose
 * @param {(person: Person) => boolean} [chosen] draws a mark beside a person
 */
export function peopleFinder(dialog, choose, chosen) {
  const found = (dialog.found ?? []).filter(({ id }) => id !== client.account?.id);
  const empty = dialog.query?.trim() ? t("list.nothing") : t("new.hint");
  // A new group is asked for its name first.
  const first = dialog.type !== "group";
  return html`<div class="field">
      <label for="find-${dialog.type}">${t(first ? "new.find" : "info.add")}</label>
      <input
        id="find-${dialog.type}"
        type="search"
        autocomplete="off"
        ?autofocus=${first}
        .value=${dialog.query ?? ""}
        @input=${(/** @type {any} */ event) => findPeople(dialog, event.target.value)}
        @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && event.preventDefault()}
      />
    </div>
    <ul class="items people">
      ${found.map(
        (person) =>
          html`<li>
            <button
              type="button"
              class="item"
              aria-pressed=${chosen ? String(chosen(person)) : nothing}
              @click=${() => choose(person)}
            >
              ${avatar(person.id, person.name, {
                online: client.status(person.id)?.online ?? false,
                picture: person.avatar_id,
              })}
              <span class="item-text">
                <span class="item-title" dir="auto">${person.name}</span>
                <span class="preview">${person.username ? `@${person.username}` : ""}</span>
              </span>
              ${chosen?.(person) ? html`<span class="accent">${icon("check")}</span>` : nothing}
            </button>
          </li>`,
      )}
    </ul>
    <p class="empty" role="status">${found.length === 0 ? empty : nothing}</p>`;
}

/** @param {Dialog} dialog */
function newChat(dialog) {
  const choose = (/** @type {Person} */ person) =>
    submit(dialog, async () => openChat((await client.createPrivate(person.id)).id));
  return html`<button
      type="button"
      class="item"
      @click=${() => openDialog({ type: "group", found: [], query: "", chosen: new Map() })}
    >
      <span class="avatar plain">${icon("group")}</span>
      <span class="item-title">${t("new.group")}</span>
    </button>
    ${peopleFinder(dialog, choose)} ${formError(dialog.error)}`;
}

/** @param {Dialog} dialog */
function newGroup(dialog) {
  const chosen = dialog.chosen ?? new Map();
  const toggle = (/** @type {Person} */ person) => {
    if (!chosen.delete(person.id)) chosen.set(person.id, person);
    redraw();
  };
  const create = (/** @type {Event} */ event) => {
    const { name = "" } = fields(event);
    void submit(dialog, async () => openChat((await client.createGroup(name, [...chosen.keys()])).id));
  };
  return html`<form @submit=${create} class="tall" novalidate>
    ${field({
      name: "name",
      label: t("new.groupName"),
      maxlength: 100,
      error: dialog.error,
      prefix: "group",
      autofocus: true,
    })}
    ${
      chosen.size
        ? html`<ul class="chips" aria-label=${t("new.members")}>
            ${[...chosen.values()].map(
              (person) =>
                html`<li>
                  <button
                    type="button"
                    class="chip"
                    aria-label=${t("new.remove", { name: person.name })}
                    @click=${() => toggle(person)}
                  >
                    <span dir="auto">${person.name}</span>${icon("close")}
                  </button>
                </li>`,
            )}
          </ul>`
        : nothing
    }
    ${peopleFinder(dialog, toggle, ({ id }) => chosen.has(id))} ${formError(dialog.error, ["name"])}
    <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("new.create")}</button></div>
  </form>`;
}

/** @param {Dialog} dialog */
function addPeople(dialog) {
  const chat = client.chat(String(dialog.chatId));
  if (!chat) return nothing;
  const add = (/** @type {Person} */ person) =>
    submit(dialog, () => client.group(chat.id, client.calls.addMember(chat.id, person.id)));
  return html`${peopleFinder(dialog, add, ({ id }) => chat.members?.has(id) ?? false)} ${formError(dialog.error)}`;
}

/** @param {Dialog} dialog */
function rename(dialog) {
  const chat = client.chat(String(dialog.chatId));
  if (!chat) return nothing;
  const save = (/** @type {Event} */ event) => {
    const { name = "", description = "", admins, slow_seconds } = fields(event);
    const change = {
      name,
      description: description.trim() || null,
      posting: /** @type {'admins' | 'everyone'} */ (admins ? "admins" : "everyone"),
      slow_seconds: Number(slow_seconds),
    };
    void submit(dialog, () => client.group(chat.id, client.calls.change(chat.id, change)));
  };
  return html`<form @submit=${save} novalidate>
    ${field({
      name: "name",
      label: t("info.name"),
      value: titleOf(chat),
      maxlength: 100,
      error: dialog.error,
      prefix: "rename",
      autofocus: true,
    })}
    <div class="field">
      <label for="rename-description">${t("info.description")}</label>
      <textarea id="rename-description" name="description" rows="3" maxlength="500" dir="auto" .value=${chat.description}>
      </textarea>
    </div>
    <div class="field">
      <label for="rename-slow">${t("info.slow")}</label>
      <select id="rename-slow" name="slow_seconds">
        ${[...new Set([...SLOW, chat.slowSeconds])].map(
          (seconds) =>
            html`<option value=${seconds} ?selected=${chat.slowSeconds === seconds}>
              ${seconds === 0 ? t("info.slowOff") : t("info.slowSeconds", { count: seconds })}
            </option>`,
        )}
      </select>
    </div>
    <label class="check">
      <input type="checkbox" name="admins" ?checked=${chat.posting === "admins"} /><span>${t("info.adminsOnly")}</span>
    </label>
    ${formError(dialog.error, ["name"])}
    <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("action.save")}</button></div>
  </form>`;
}

/** @param {Dialog} dialog */
function readers(dialog) {
  const chat = client.chat(String(dialog.chatId));
  const { message } = dialog;
  if (!chat || !message) return nothing;
  const others = [...(chat.members?.values() ?? [])].filter(({ id }) => id !== message.sender_id);
  const list = (/** @type {Person[]} */ people) =>
    html`<ul class="items people">
      ${people.map(
        ({ id, name, avatar_id }) =>
          html`<li class="item">
            ${avatar(id, name, { size: "small", picture: avatar_id })}
            <span class="item-title" dir="auto">${id === chat.me ? t("app.youIn", { name }) : name}</span>
          </li>`,
      )}
    </ul>`;
  const read = others.filter(({ last_read_id }) => last_read_id >= message.id);
  const rest = others.filter(({ last_read_id }) => last_read_id < message.id);
  return html`<h3 class="section">${t("readers.read")}</h3>
    ${read.length ? list(read) : html`<p class="empty">${t("readers.nobody")}</p>`}
    ${
      rest.length
        ? html`<h3 class="section">${t("readers.notYet")}</h3>
            ${list(rest)}`
        : nothing
    }`;
}

/** @param {Dialog} dialog */
function forward(dialog) {
  const { message } = dialog;
  if (!message) return nothing;
  const choose = (/** @type {string} */ chatId) =>
    submit(dialog, async () => {
      await client.forward(message, chatId);
      openChat(chatId);
    });
  return html`<ul class="items people">
      ${client.chats.map((chat) => {
        const title = titleOf(chat);
        return html`<li>
          <button type="button" class="item" ?disabled=${dialog.busy} @click=${() => choose(chat.id)}>
            ${avatar(chat.peer?.id ?? chat.id, title, { group: chat.kind === "group", picture: pictureOf(chat) })}
            <span class="item-title" dir="auto">${title}</span>
          </button>
        </li>`;
      })}
    </ul>
    ${formError(dialog.error)}`;
}

/** @param {Dialog} dialog */
function question(dialog) {
  return html`<p class="question">${dialog.text}</p>
    ${formError(dialog.error)}
    <div class="buttons">
      <button class="quiet" @click=${() => closeDialog(dialog)}>${t("action.cancel")}</button>
      <button
        class="primary danger"
        ?disabled=${dialog.busy}
        @click=${() => submit(dialog, dialog.act ?? (async () => {}))}
      >
        ${dialog.label}
      </button>
    </div>`;
}

/** @param {Dialog} dialog @returns {{title: string, body: any}} */
function contents(dialog) {
  switch (dialog.type) {
    case "new":
      return { title: t("new.title"), body: newChat(dialog) };
    case "group":
      return { title: t("new.groupTitle"), body: newGroup(dialog) };
    case "add":
      return { title: t("info.add"), body: addPeople(dialog) };
    case "rename":
      return { title: t("info.rename"), body: rename(dialog) };
    case "readers":
      return { title: t("readers.title"), body: readers(dialog) };
    case "mute":
      return { title: t("quiet.mute"), body: muteDialog(dialog) };
    case "invites":
      return { title: t("invite.title"), body: invitesDialog(dialog) };
    case "join":
      return { title: t("invite.joinTitle"), body: joinDialog(dialog) };
    case "profile":
      return { title: t("settings.profile"), body: profileDialog(dialog) };
    case "blocked":
      return { title: t("settings.blocked"), body: blockedDialog(dialog) };
    case "email":
      return { title: t("recover.email"), body: emailDialog(dialog) };
    case "report":
      return { title: t("report.title"), body: reportDialog(dialog) };
    case "farewell":
      return { title: t("settings.delete"), body: farewellDialog(dialog) };
    case "photo":
      return pictureDialog(dialog);
    case "forward":
      return { title: t("forward.title"), body: forward(dialog) };
    case "settings":
      return { title: t("settings.title"), body: settingsDialog(dialog) };
    case "password":
      return { title: t("settings.password"), body: passwordDialog(dialog) };
    case "info":
      return infoDialog(dialog);
    case "confirm":
      return { title: dialog.title ?? "", body: question(dialog) };
  }
}

export function dialogs() {
  const last = state.dialogs.length - 1;
  return state.dialogs.map((dialog, index) => {
    const { title, body } = contents(dialog);
    const close = (/** @type {Event} */ event) => {
      // Only the dialog itself: a <dialog> inside of it would report here too.
      if (event.target === event.currentTarget) closeDialog(dialog);
    };
    const click = (/** @type {MouseEvent} */ event) => {
      if (event.target === event.currentTarget) closeDialog(dialog);
    };
    return html`<dialog class=${dialog.type} aria-labelledby="dialog-${index}" @close=${close} @mousedown=${click}>
      <div class="dialog-frame">
        <header class="dialog-top">
          <h2 id="dialog-${index}" dir="auto">${title}</h2>
          <button class="round" aria-label=${t("action.close")} @click=${() => closeDialog(dialog)}>
            ${icon("close")}
          </button>
        </header>
        <div class="dialog-body">${body}</div>
      </div>
      ${index === last ? menu(true) : nothing}
    </dialog>`;
  });
}

/** A dialog that has just been drawn is opened, which also makes the rest of the page inert. */
export function showDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) if (!dialog.open) dialog.showModal();
}
