// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { formError } from "./forms.js";
import { t } from "./i18n.js";
import { portraitOf } from "./scale.js";
import { client, failure, redraw } from "./store.js";

/** The picture of a person or a group, where it can be changed. */

/** @import {Dialog} from "./store.js" */

/** Uploads the middle of a picture. @param {File} source @returns {Promise<string>} the id of the file */
async function upload(source) {
  const { blob, side, preview } = await portraitOf(source);
  const name = blob.type === "image/webp" ? "picture.webp" : "picture.jpg";
  const shape = { width: side, height: side, ...(preview ? { preview } : {}) };
  return (await client.files.upload(blob, { name, content_type: blob.type, size: blob.size, ...shape })).id;
}

/**
 * @param {Dialog} dialog
 * @param {string | null | undefined} picture the one there is
 * @param {(id: string | null) => Promise<unknown>} save
 */
export function portraitButtons(dialog, picture, save) {
  const change = async (/** @type {() => Promise<unknown>} */ work) => {
    if (dialog.saving) return;
    Object.assign(dialog, { saving: true, pictureError: null });
    redraw();
    try {
      await work();
    } catch (error) {
      if (/** @type {any} */ (error)?.code === undefined) console.error(error);
      dialog.pictureError = failure(error);
    }
    dialog.saving = false;
    redraw();
  };
  const chosen = (/** @type {any} */ { target }) => {
    const [source] = target.files;
    target.value = "";
    if (source) void change(async () => save(await upload(source)));
  };
  return html`<input type="file" accept="image/*" class="portrait-input" hidden @change=${chosen} />
    <p class="portrait-buttons" aria-busy=${dialog.saving ? "true" : "false"}>
      <button
        type="button"
        class="link"
        ?disabled=${dialog.saving}
        @click=${(/** @type {any} */ event) => event.target.closest(".profile").querySelector("input").click()}
      >
        ${t(dialog.saving ? "portrait.saving" : picture ? "portrait.change" : "portrait.choose")}
      </button>
      ${
        picture && !dialog.saving
          ? html`<button type="button" class="link" @click=${() => change(() => save(null))}>
              ${t("portrait.remove")}
            </button>`
          : nothing
      }
    </p>
    ${formError(dialog.pictureError)}`;
}
