// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { field, fields, formError } from "./forms.js";
import { t } from "./i18n.js";
import { forgottenLink, recoverForm } from "./recover.js";
import { afterDrawing, client, failure, redraw, state } from "./store.js";

const icon = new URL("../icon.svg", import.meta.url).href;
// The page preloads it, and a browser warns of what is preloaded in vain: whoever is logged in sees no form.
new Image().src = icon;

/** @param {() => Promise<unknown>} work */
async function run(work) {
  if (state.formBusy) return;
  state.formBusy = true;
  state.formErrors = [];
  redraw();
  try {
    await work();
    state.notice = null;
  } catch (error) {
    state.formErrors = [failure(error)];
  }
  state.formBusy = false;
  redraw();
}

/** @param {'login' | 'register' | 'forgotten' | 'reset'} screen */
function go(screen) {
  state.screen = screen;
  state.formErrors = [];
  afterDrawing(() => /** @type {HTMLElement | null} */ (document.querySelector(".card input"))?.focus());
}

function loginForm() {
  const submit = (/** @type {Event} */ event) => {
    const { login = "", password = "" } = fields(event);
    void run(() => client.login(login, password));
  };
  return html`<form @submit=${submit} aria-labelledby="title" novalidate>
      ${field({ name: "login", label: t("login.login"), autocomplete: "username", maxlength: 254, autofocus: true })}
      ${field({ name: "password", label: t("login.password"), type: "password", autocomplete: "current-password" })}
      ${formError(state.formErrors[0])}
      <button class="primary wide" ?disabled=${state.formBusy}>${t("login.submit")}</button>
    </form>
    ${forgottenLink(go)}
    <p class="switch">
      ${t("login.noAccount")}
      <button class="link" @click=${() => go("register")}>${t("login.toRegister")}</button>
    </p>`;
}

/**
 * All that the server is certain to refuse, since it names the first such field only.
 * @param {Record<string, string>} fields
 */
function faults({ name = "", username = "", email = "", password = "" }) {
  const wrong = {
    name: !name.trim(),
    email: !/.@./.test(email),
    username: username.trim() !== "" && !/^[\w.-]{3,32}$/.test(username.trim()),
    password: [...password].length < 8,
  };
  return Object.entries(wrong).flatMap(([field, is]) => (is ? [{ text: t(`error.field.${field}`), field }] : []));
}

function registerForm() {
  const names = ["name", "username", "email", "password"];
  const submit = (/** @type {Event} */ event) => {
    const { name = "", username = "", email = "", password = "" } = fields(event);
    state.formErrors = faults({ name, username, email, password });
    if (state.formErrors.length > 0) return redraw();
    void run(() => client.register({ name, email, password, ...(username.trim() ? { username } : {}) }));
  };
  const error = (/** @type {string} */ name) => state.formErrors.find(({ field }) => field === name) ?? null;
  return html`<form @submit=${submit} aria-labelledby="title" novalidate>
      ${field({
        name: "name",
        label: t("register.name"),
        autocomplete: "name",
        maxlength: 100,
        error: error("name"),
        autofocus: true,
      })}
      ${field({
        name: "email",
        label: t("register.email"),
        type: "email",
        autocomplete: "email",
        maxlength: 254,
        error: error("email"),
      })}
      ${field({
        name: "username",
        label: t("register.username"),
        autocomplete: "username",
        hint: t("register.usernameHint"),
        maxlength: 32,
        required: false,
        error: error("username"),
      })}
      ${field({
        name: "password",
        label: t("login.password"),
        type: "password",
        autocomplete: "new-password",
        hint: t("register.passwordHint"),
        error: error("password"),
      })}
      ${formError(state.formErrors[0], names)}
      <button class="primary wide" ?disabled=${state.formBusy}>${t("register.submit")}</button>
    </form>
    <p class="switch">
      ${t("register.hasAccount")}
      <button class="link" @click=${() => go("login")}>${t("register.toLogin")}</button>
    </p>`;
}

export function loginScreen() {
  const register = state.screen === "register";
  const recover = state.screen === "forgotten" || state.screen === "reset";
  return html`<main class="entry">
    <div class="card">
      <img class="logo" src=${icon} alt="" width="56" height="56" />
      <p class="brand">${t("app.name")}</p>
      <h1 id="title">${t(recover ? "recover.title" : register ? "register.title" : "login.title")}</h1>
      ${state.notice ? html`<p class="notice" role="status">${state.notice}</p>` : nothing}
      ${recover ? recoverForm(run, go) : register ? registerForm() : loginForm()}
    </div>
  </main>`;
}
