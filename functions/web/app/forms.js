// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import {Failure} from "./store.js" */

/**
 * A labelled input, with its hint and its error.
 * @param {object} options
 * @param {string} options.name
 * @param {string} options.label
 * @param {string} [options.type]
 * @param {string} [options.autocomplete]
 * @param {string} [options.hint]
 * @param {string} [options.value]
 * @param {Failure | null} [options.error]
 * @param {boolean} [options.required]
 * @param {boolean} [options.autofocus]
 * @param {number} [options.maxlength]
 * @param {string} [options.prefix] distinguishes forms on one page
 */
export function field({
  name,
  label,
  type = "text",
  autocomplete = "off",
  hint = "",
  value = "",
  error = null,
  required = true,
  autofocus = false,
  maxlength = 256,
  prefix = "f",
}) {
  const id = `${prefix}-${name}`;
  const wrong = error?.field === name;
  const described = [hint ? `${id}-hint` : "", wrong ? `${id}-error` : ""].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      name=${name}
      type=${type}
      autocomplete=${/** @type {any} */ (autocomplete)}
      autocapitalize="off"
      spellcheck="false"
      value=${value}
      maxlength=${maxlength}
      ?required=${required}
      ?autofocus=${autofocus}
      aria-invalid=${wrong ? "true" : "false"}
      aria-describedby=${described || nothing}
    />
    ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}
    ${wrong ? html`<p class="error" id="${id}-error">${error.text}</p>` : nothing}
  </div>`;
}

/**
 * An error that belongs to no single field.
 * @param {Failure | null | undefined} error
 * @param {string[]} fields those on the form
 */
export function formError(error, fields = []) {
  const shown = error && !(error.field && fields.includes(error.field));
  return html`<p class="form-error" role="alert">${shown ? error.text : nothing}</p>`;
}

/** @param {Event} event @returns {Record<string, string>} the form's fields */
export function fields(event) {
  event.preventDefault();
  const data = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
  return Object.fromEntries([...data].map(([name, value]) => [name, String(value)]));
}
