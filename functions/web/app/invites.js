// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { openChat } from "./actions.js";
import { avatar, fullTime, icon } from "./format.js";
import { formError } from "./forms.js";
import { t } from "./i18n.js";
import { attempt, client, closeDialog, failure, openDialog, redraw, state, submit, toast } from "./store.js";

/** Links into groups. */

/** @import {Dialog} from "./store.js" */
/** @import {Invite} from "../client/calls.js" */

const DAY = 86_400;

/** @param {string} code */
const addressOf = (code) => `${new URL(".", document.baseURI).href}#/join/${code}`;

/** @param {Dialog} dialog */
async function load(dialog) {
  try {
    dialog.invites = await client.calls.invites(String(dialog.chatId));
    dialog.error = null;
  } catch (error) {
    dialog.error = failure(error);
    dialog.invites ??= [];
  }
  redraw();
}

/** @param {string} chatId */
export function openInvites(chatId) {
  void load(openDialog({ type: "invites", chatId }));
}

/** @param {Dialog} dialog @param {() => Promise<unknown>} work */
async function change(dialog, work) {
  await attempt(work);
  await load(dialog);
}

/** @param {Dialog} dialog @param {Invite} invite */
function inviteItem(dialog, { code, expires_at, uses, max_uses }) {
  const address = addressOf(code);
  const copy = async () => {
    await navigator.clipboard.writeText(address);
    toast(t("message.copied"));
  };
  const used = max_uses === null ? t("invite.used", { count: uses }) : t("invite.usedOf", { count: max_uses, uses });
  const until = expires_at === null ? "" : t("invite.until", { when: fullTime(expires_at) });
  return html`<li class="item invite">
    <span class="item-text">
      <a class="address" href=${address}>${address}</a>
      <span class="preview two">${[used, until].filter(Boolean).join(", ")}</span>
    </span>
    <button class="round" aria-label=${t("invite.copy")} title=${t("invite.copy")} @click=${() => void attempt(copy)}>
      ${icon("copy")}
    </button>
    <button
      class="round danger-text"
      aria-label=${t("invite.revoke")}
      title=${t("invite.revoke")}
      @click=${() => void change(dialog, () => client.calls.revoke(String(dialog.chatId), code))}
    >
      ${icon("trash")}
    </button>
  </li>`;
}

/** @param {Dialog} dialog */
export function invitesDialog(dialog) {
  const { invites } = dialog;
  const make = (/** @type {import("../client/contract.d.ts").NewInvite} */ limits) =>
    void change(dialog, () => client.calls.invite(String(dialog.chatId), limits));
  return html`${
      invites
        ? html`<ul class="items invites">
            ${invites.map((invite) => inviteItem(dialog, invite))}
          </ul>`
        : nothing
    }
    <p class="empty" role="status">
      ${invites === undefined ? t("app.loading") : invites.length === 0 ? t("invite.none") : nothing}
    </p>
    ${formError(dialog.error)}
    <div class="buttons">
      <button class="quiet" @click=${() => make({ expires_in: 7 * DAY })}>${t("invite.newWeek")}</button>
      <button class="primary" @click=${() => make({})}>${t("invite.new")}</button>
    </div>`;
}

/** Shows where a link leads, before anybody joins. @param {string} code */
export async function openJoin(code) {
  const dialog = openDialog({ type: "join", code });
  try {
    dialog.preview = await client.calls.preview(code);
    if (dialog.preview.is_member) {
      if (state.dialogs.includes(dialog)) openChat(dialog.preview.chat_id);
      return;
    }
  } catch (error) {
    dialog.error = failure(error);
  }
  redraw();
}

/** @param {Dialog} dialog */
export function joinDialog(dialog) {
  const { preview } = dialog;
  const join = () => submit(dialog, async () => openChat((await client.join(String(dialog.code))).id));
  if (!preview) {
    return html`<p class="empty">${dialog.error ? nothing : t("app.loading")}</p>
      ${formError(dialog.error)}`;
  }
  return html`<div class="profile">
      ${avatar(preview.chat_id, preview.name, { size: "large", group: true, picture: preview.picture_id })}
      <p class="profile-name" dir="auto">${preview.name}</p>
      <p class="faint">${t("chat.members", { count: preview.member_count })}</p>
      ${preview.description ? html`<p class="about" dir="auto">${preview.description}</p>` : nothing}
    </div>
    ${formError(dialog.error)}
    <div class="buttons">
      <button class="quiet" @click=${() => closeDialog(dialog)}>${t("action.cancel")}</button>
      <button class="primary" ?disabled=${dialog.busy} @click=${join}>${t("invite.join")}</button>
    </div>`;
}
