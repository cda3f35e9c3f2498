// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { ago, avatar, deviceName, icon, outline } from "./format.js";
import { field, fields, formError } from "./forms.js";
import { t } from "./i18n.js";
import { portraitButtons } from "./portrait.js";
import { pushItems } from "./push.js";
import { emailItem } from "./recover.js";
import { client, confirm, failure, openDialog, redraw, state, submit, toast } from "./store.js";

/** @import {Dialog} from "./store.js" */
/** @import {SessionObject} from "../client/types.js" */

const key = outline("M12 15.500a4.500 4.500 0 1 1-9 0 4.500 4.500 0 0 1 9 0zM10.700 12.300 19.500 3.500m-4 4 3 3");

/** @param {Dialog} dialog */
async function load(dialog) {
  try {
    dialog.sessions = await client.calls.sessions();
    dialog.error = null;
  } catch (error) {
    dialog.error = failure(error);
  }
  redraw();
}

/** @param {Dialog} dialog @param {SessionObject[]} sessions */
function end(dialog, sessions) {
  return async () => {
    try {
      for (const { id } of sessions) await client.calls.endSession(id);
    } finally {
      await load(dialog);
    }
  };
}

/** @param {Dialog} dialog @param {SessionObject} session */
function sessionItem(dialog, session) {
  const name = deviceName(session.device);
  const current = session.id === dialog.sessions?.current;
  return html`<li class="item">
    <span class="item-text">
      <span class="item-title">${name}</span>
      <span class="preview two">
        ${current ? html`<span class="accent">${t("settings.current")}</span> · ` : nothing}${t("settings.loggedIn", {
          when: ago(session.created_at),
        })}${current ? nothing : html`, ${t("settings.active", { when: ago(session.refreshed_at) })}`}
      </span>
    </span>
    ${
      current
        ? nothing
        : html`<button
            class="quiet small"
            aria-label=${t("settings.endNamed", { name })}
            @click=${() => submitQuietly(dialog, end(dialog, [session]))}
          >
            ${t("settings.end")}
          </button>`
    }
  </li>`;
}

/** @param {Dialog} dialog @param {() => Promise<unknown>} work */
async function submitQuietly(dialog, work) {
  try {
    await work();
  } catch (error) {
    dialog.error = failure(error);
    redraw();
  }
}

/** @param {Dialog} dialog */
export function settingsDialog(dialog) {
  const { account } = client;
  if (!account) return nothing;
  if (!dialog.sessions && !dialog.busy) {
    dialog.busy = true;
    void load(dialog);
  }
  const sessions = dialog.sessions?.sessions ?? [];
  const others = sessions.filter(({ id }) => id !== dialog.sessions?.current);
  const current = sessions.filter(({ id }) => id === dialog.sessions?.current);
  const endOthers = () =>
    confirm({
      title: t("settings.endOthersTitle"),
      text: t("settings.endOthersText"),
      label: t("settings.end"),
      act: end(dialog, others),
    });
  const logout = () =>
    confirm({
      title: t("settings.logoutTitle"),
      text: t("settings.logoutText"),
      label: t("settings.logout"),
      act: () => client.logout(),
    });
  return html`<div class="profile">
      ${avatar(account.id, account.name, { size: "large", picture: account.avatar_id })}
      ${portraitButtons(dialog, account.avatar_id, (avatar_id) => client.own.change({ avatar_id }))}
      <p class="profile-name" dir="auto">${account.name}</p>
      ${account.username ? html`<p class="faint">@${account.username}</p>` : nothing}
      <p class="faint">${account.email}</p>
      ${account.about ? html`<p class="about" dir="auto">${account.about}</p>` : nothing}
    </div>
    <button class="item" @click=${() => openDialog({ type: "profile" })}>
      <span class="avatar plain">${icon("user")}</span>
      <span class="item-title">${t("settings.profile")}</span>
    </button>
    <button class="item" @click=${() => openBlocked()}>
      <span class="avatar plain">${icon("block")}</span>
      <span class="item-title">${t("settings.blocked")}</span>
    </button>
    <button class="item" @click=${() => openDialog({ type: "password" })}>
      <span class="avatar plain">${key}</span>
      <span class="item-title">${t("settings.password")}</span>
    </button>
    ${emailItem()}
    <button class="item danger-text" @click=${logout}>
      <span class="avatar plain">${icon("leave")}</span><span class="item-title">${t("settings.logout")}</span>
    </button>
    <button class="item danger-text" @click=${() => openDialog({ type: "farewell" })}>
      <span class="avatar plain">${icon("trash")}</span><span class="item-title">${t("settings.delete")}</span>
    </button>
    ${pushItems()}
    <h3 class="section">${t("settings.sessions")}</h3>
    ${formError(dialog.error)}
    <ul class="items sessions" aria-busy=${dialog.sessions ? "false" : "true"}>
      ${[...current, ...others].map((session) => sessionItem(dialog, session))}
    </ul>
    ${
      others.length > 0
        ? html`<div class="buttons"><button class="quiet" @click=${endOthers}>${t("settings.endOthers")}</button></div>`
        : nothing
    }`;
}

/** Name, username, and who may add this person to groups. @param {Dialog} dialog */
export function profileDialog(dialog) {
  const { account } = client;
  if (!account) return nothing;
  const { error } = dialog;
  const save = (/** @type {Event} */ event) => {
    const { name = "", username = "", about = "", who_may_add } = fields(event);
    const change = {
      name,
      username: username.trim() || null,
      about: about.trim() || null,
      who_may_add: /** @type {import("../client/contract.d.ts").WhoMayAdd} */ (who_may_add),
    };
    void submit(dialog, () => client.own.change(change));
  };
  return html`<form @submit=${save} novalidate>
    ${field({ name: "name", label: t("info.name"), value: account.name, maxlength: 100, error, autofocus: true })}
    ${field({
      name: "username",
      label: t("register.username"),
      value: account.username ?? "",
      hint: t("register.usernameHint"),
      required: false,
      maxlength: 32,
      error,
    })}
    ${field({
      name: "about",
      label: t("about.label"),
      value: account.about ?? "",
      hint: t("about.hint"),
      required: false,
      maxlength: 200,
      error,
    })}
    <div class="field">
      <label for="who-may-add">${t("settings.whoMayAdd")}</label>
      <select id="who-may-add" name="who_may_add">
        ${["everyone", "contacts", "nobody"].map(
          (who) =>
            html`<option value=${who} ?selected=${account.who_may_add === who}>${t(`settings.add.${who}`)}</option>`,
        )}
      </select>
    </div>
    ${formError(error, ["name", "username", "about"])}
    <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("action.save")}</button></div>
  </form>`;
}

/** @param {Dialog} dialog */
export function farewellDialog(dialog) {
  const { error } = dialog;
  const leave = (/** @type {Event} */ event) => {
    const { password = "" } = fields(event);
    void submit(dialog, async () => {
      await client.deleteAccount(password);
      // Not that a session has ended: this was meant.
      state.notice = null;
    });
  };
  return html`<form @submit=${leave} novalidate>
    <p class="question">${t("settings.deleteText")}</p>
    ${field({
      name: "password",
      label: t("settings.currentPassword"),
      type: "password",
      autocomplete: "current-password",
      autofocus: true,
      prefix: "farewell",
    })}
    ${formError(error)}
    <div class="buttons"><button class="primary danger" ?disabled=${dialog.busy}>${t("settings.delete")}</button></div>
  </form>`;
}

async function openBlocked() {
  const dialog = openDialog({ type: "blocked" });
  try {
    dialog.found = await client.calls.blocked();
  } catch (error) {
    dialog.error = failure(error);
  }
  redraw();
}

/** @param {Dialog} dialog */
export function blockedDialog(dialog) {
  const unblock = (/** @type {string} */ id) =>
    submitQuietly(dialog, async () => {
      await client.own.block(id, false);
      dialog.found = dialog.found?.filter((person) => person.id !== id) ?? [];
    });
  return html`<ul class="items people">
      ${(dialog.found ?? []).map(
        ({ id, name, avatar_id }) =>
          html`<li class="item">
            ${avatar(id, name, { size: "small", picture: avatar_id })}<span class="item-title" dir="auto">${name}</span>
            <button class="quiet small" aria-label=${t("settings.unblock", { name })} @click=${() => unblock(id)}>
              ${t("quiet.unblock")}
            </button>
          </li>`,
      )}
    </ul>
    <p class="empty" role="status">
      ${dialog.error ? nothing : dialog.found === undefined ? t("app.loading") : dialog.found.length === 0 ? t("settings.nobodyBlocked") : nothing}
    </p>
    ${formError(dialog.error)}`;
}

/** @param {Dialog} dialog */
export function passwordDialog(dialog) {
  const save = (/** @type {Event} */ event) => {
    const { current_password = "", new_password = "" } = fields(event);
    void submit(dialog, async () => {
      await client.calls.changePassword(current_password, new_password);
      toast(t("settings.passwordDone"));
    });
  };
  const { error } = dialog;
  return html`<form @submit=${save} novalidate>
    <input
      class="hidden"
      type="text"
      autocomplete="username"
      tabindex="-1"
      aria-hidden="true"
      .value=${client.account?.email ?? ""}
    />
    ${field({
      name: "current_password",
      label: t("settings.currentPassword"),
      type: "password",
      autocomplete: "current-password",
      error,
      autofocus: true,
    })}
    ${field({
      name: "new_password",
      label: t("settings.newPassword"),
      type: "password",
      autocomplete: "new-password",
      hint: t("register.passwordHint"),
      error,
    })}
    <p class="hint">${t("settings.passwordNote")}</p>
    ${formError(error, ["current_password", "new_password"])}
    <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("settings.password")}</button></div>
  </form>`;
}
