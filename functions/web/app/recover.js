// @ts-check
// What takes a code that comes by mail: a new password in place of one that is forgotten, and a new e-mail address.
import { html } from "../vendor/lit-html/lit-html.js";
import { outline } from "./format.js";
import { field, fields, formError } from "./forms.js";
import { t } from "./i18n.js";
import { afterDrawing, client, failure, openDialog, redraw, state, submit, toast } from "./store.js";

/** @import {Dialog} from "./store.js" */

const envelope = outline("M3.500 6h17v12h-17zM3.500 7l8.500 6 8.500-6");

/** Where the code for a new password was sent, if that address has an account. */
let asked = "";

/** @param {string} name @param {import("./store.js").Failure | null} error @param {string} prefix */
const codeField = (name, error, prefix) =>
  field({
    name,
    label: t("recover.code"),
    autocomplete: "one-time-code",
    hint: t("recover.codeHint"),
    maxlength: 32,
    error,
    autofocus: true,
    prefix,
  });

/**
 * The form in place of the one to log in, for whoever has forgotten their password.
 * @param {(work: () => Promise<unknown>) => Promise<void>} run does a form's work
 * @param {(screen: 'login' | 'forgotten' | 'reset') => void} go
 */
export function recoverForm(run, go) {
  const reset = state.screen === "reset";
  const [error] = state.formErrors;
  const ask = (/** @type {Event} */ event) => {
    const { email = "" } = fields(event);
    void run(async () => {
      await client.calls.forgot(email);
      asked = email;
      go("reset");
    });
  };
  const set = (/** @type {Event} */ event) => {
    const { code = "", new_password = "" } = fields(event);
    void run(async () => {
      await client.calls.reset(asked, code, new_password);
      go("login");
      await client.login(asked, new_password);
    });
  };
  const names = reset ? ["code", "new_password"] : ["email"];
  const inputs = reset
    ? html`<p class="hint" role="status">${t("recover.sent", { email: asked })}</p>
        ${codeField("code", error ?? null, "reset")}
        ${field({
          name: "new_password",
          label: t("settings.newPassword"),
          type: "password",
          autocomplete: "new-password",
          hint: t("register.passwordHint"),
          error: error ?? null,
          prefix: "reset",
        })}`
    : field({
        name: "email",
        label: t("register.email"),
        type: "email",
        autocomplete: "email",
        hint: t("recover.emailHint"),
        maxlength: 254,
        error: error ?? null,
        autofocus: true,
        prefix: "forgotten",
      });
  return html`<form @submit=${reset ? set : ask} aria-labelledby="title" novalidate>
      ${inputs} ${formError(error, names)}
      <button class="primary wide" ?disabled=${state.formBusy}>${t(reset ? "recover.set" : "recover.ask")}</button>
    </form>
    <p class="switch"><button class="link" @click=${() => go("login")}>${t("recover.back")}</button></p>`;
}

/** Leads to {@link recoverForm}. @param {(screen: 'forgotten') => void} go */
export const forgottenLink = (go) =>
  html`<p class="switch"><button class="link" @click=${() => go("forgotten")}>${t("recover.forgotten")}</button></p>`;

/** In the settings: leads to {@link emailDialog}. */
export const emailItem = () =>
  html`<button class="item" @click=${() => openDialog({ type: "email" })}>
    <span class="avatar plain">${envelope}</span>
    <span class="item-title">${t("recover.email")}</span>
  </button>`;

/**
 * Asks for a code and leaves the dialog open for it.
 * @param {Dialog} dialog @param {string} email @param {string} password
 */
async function ask(dialog, email, password) {
  if (dialog.busy) return;
  dialog.busy = true;
  dialog.error = null;
  redraw();
  try {
    await client.calls.changeEmail(email, password);
    dialog.email = email;
    afterDrawing(() => /** @type {HTMLElement | null} */ (document.querySelector("dialog.email input"))?.focus());
  } catch (error) {
    dialog.error = failure(error);
  }
  dialog.busy = false;
  redraw();
}

/** @param {Dialog} dialog */
export function emailDialog(dialog) {
  const { error = null, email } = dialog;
  if (email !== undefined) {
    const confirm = (/** @type {Event} */ event) => {
      const { code = "" } = fields(event);
      void submit(dialog, async () => {
        await client.own.confirmEmail(code);
        toast(t("recover.emailDone"));
      });
    };
    return html`<form @submit=${confirm} novalidate>
      <p class="hint" role="status">${t("recover.emailSent", { email })}</p>
      ${codeField("code", error, "email")} ${formError(error, ["code"])}
      <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("recover.confirm")}</button></div>
    </form>`;
  }
  const save = (/** @type {Event} */ event) => {
    const { email = "", current_password = "" } = fields(event);
    void ask(dialog, email, current_password);
  };
  return html`<form @submit=${save} novalidate>
    ${field({
      name: "email",
      label: t("recover.newEmail"),
      type: "email",
      autocomplete: "email",
      maxlength: 254,
      error,
      autofocus: true,
      prefix: "email",
    })}
    ${field({
      name: "current_password",
      label: t("settings.currentPassword"),
      type: "password",
      autocomplete: "current-password",
      error,
      prefix: "email",
    })}
    ${formError(error, ["email", "current_password"])}
    <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("recover.ask")}</button></div>
  </form>`;
}
