// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { field, fields, formError } from "./forms.js";
import { t } from "./i18n.js";
import { client, failure, redraw, state } from "./store.js";

const icon = new URL("../icon.svg", import.meta.url).href;

/** @param {() => Promise<unknown>} work */
async function run(work) {
  if (state.formBusy) return;
  state.formBusy = true;
  state.formError = null;
  redraw();
  try {
    await work();
    state.notice = null;
  } catch (error) {
    state.formError = failure(error);
  }
  state.formBusy = false;
  redraw();
}

/** @param {'login' | 'register'} screen */
function go(screen) {
  state.screen = screen;
  state.formError = null;
  redraw();
}

function loginForm() {
  const submit = (/** @type {Event} */ event) => {
    const { login = "", password = "" } = fields(event);
    void run(() => client.login(login, password));
  };
  return html`<form @submit=${submit} aria-labelledby="title" novalidate>
      ${field({ name: "login", label: t("login.login"), autocomplete: "username", maxlength: 254, autofocus: true })}
      ${field({ name: "password", label: t("login.password"), type: "password", autocomplete: "current-password" })}
      ${formError(state.formError)}
      <button class="primary wide" ?disabled=${state.formBusy}>${t("login.submit")}</button>
    </form>
    <p class="switch">
      ${t("login.noAccount")}
      <button class="link" @click=${() => go("register")}>${t("login.toRegister")}</button>
    </p>`;
}

function registerForm() {
  const names = ["name", "username", "email", "password"];
  const submit = (/** @type {Event} */ event) => {
    const { name = "", username = "", email = "", password = "" } = fields(event);
    void run(() => client.register({ name, email, password, ...(username.trim() ? { username } : {}) }));
  };
  const error = state.formError;
  return html`<form @submit=${submit} aria-labelledby="title" novalidate>
      ${field({ name: "name", label: t("register.name"), autocomplete: "name", maxlength: 100, error, autofocus: true })}
      ${field({ name: "email", label: t("register.email"), type: "email", autocomplete: "email", maxlength: 254, error })}
      ${field({
        name: "username",
        label: t("register.username"),
        autocomplete: "username",
        hint: t("register.usernameHint"),
        maxlength: 32,
        required: false,
        error,
      })}
      ${field({
        name: "password",
        label: t("login.password"),
        type: "password",
        autocomplete: "new-password",
        hint: t("register.passwordHint"),
        error,
      })}
      ${formError(error, names)}
      <button class="primary wide" ?disabled=${state.formBusy}>${t("register.submit")}</button>
    </form>
    <p class="switch">
      ${t("register.hasAccount")}
      <button class="link" @click=${() => go("login")}>${t("register.toLogin")}</button>
    </p>`;
}

export function loginScreen() {
  const register = state.screen === "register";
  return html`<main class="entry">
    <div class="card">
      <img class="logo" src=${icon} alt="" width="56" height="56" />
      <p class="brand">${t("app.name")}</p>
      <h1 id="title">${t(register ? "register.title" : "login.title")}</h1>
      ${state.notice ? html`<p class="notice" role="status">${state.notice}</p>` : nothing}
      ${register ? registerForm() : loginForm()}
    </div>
  </main>`;
}
