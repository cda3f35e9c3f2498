// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { icon } from "./format.js";
import { locale, t } from "./i18n.js";
import { attempt, client, openDialog, redraw } from "./store.js";

/** The files of messages. */

/** @import {Dialog} from "./store.js" */
/** @import {FileObject} from "../client/types.js" */

/** The largest a picture is drawn in a message, in pixels. */
const WIDE = 320;
const HIGH = 360;
const KB = 1024;
/** The beginnings of previews in base64, and what they are. @type {Record<string, string>} */
const TYPES = { "/9j/": "jpeg", iVBO: "png", UklG: "webp" };

/** @param {FileObject} file */
export const isPicture = ({ width, height, content_type }) => !!width && !!height && content_type.startsWith("image/");

/** @param {number} bytes */
export function sizeText(bytes) {
  const [unit, size] = bytes < KB * KB ? ["kilobyte", bytes / KB] : ["megabyte", bytes / KB / KB];
  const maximumFractionDigits = unit === "megabyte" ? 1 : 0;
  const options = { style: /** @type {const} */ ("unit"), unit: String(unit), maximumFractionDigits };
  return new Intl.NumberFormat(locale, options).format(Math.max(1, Number(size)));
}

/** A name in which nothing turns the direction, so that what ends like a picture is one. @param {string} name */
export const plainName = (name) => name.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");

/** What a message without a text is called. @param {FileObject[]} files */
function filesText(files) {
  const [first] = files;
  if (!first) return "";
  if (files.every(isPicture)) return t("files.photos", { count: files.length });
  const name = plainName(first.name);
  return files.length === 1 ? name : t("files.andMore", { name, count: files.length - 1 });
}

/** What a message says, in one line. @param {{text: string | null, files?: FileObject[]}} message */
export const textOf = ({ text, files = [] }) => text || filesText(files);

/**
 * The text of a quote, which says nothing about files.
 * @param {string} chatId @param {{id: number, text: string}} quote
 */
export function quotedText(chatId, { id, text }) {
  const original = client.chat(chatId)?.window.get(id);
  return text || (original && textOf(original)) || t("files.some");
}

/** @param {FileObject} file */
export function download(file) {
  return attempt(async () => {
    const link = document.createElement("a");
    // A link that does not work any more would take the place of the page.
    link.href = await client.files.link(file.id, { fresh: true });
    link.download = file.name;
    link.rel = "noopener";
    link.click();
  });
}

/** @param {FileObject[]} pictures @param {number} place */
export const openPicture = (pictures, place) => void openDialog({ type: "photo", files: pictures, place });

/** The picture itself, with its preview below. @param {FileObject} file @param {string} [alt] */
function layers({ id, preview = "" }, alt = "") {
  const type = TYPES[preview.slice(0, 4)];
  return html`<img data-file=${id} alt=${alt} />${
    type ? html`<img class="blur" src="data:image/${type};base64,${preview}" alt="" />` : nothing
  }`;
}

/** Its shape, within reason. @param {FileObject} file */
const ratioOf = ({ width = 1, height = 1 }) => Math.min(Math.max(width / height, 0.4), 2.5);

/** One beside another, both as high. @param {FileObject[]} all @param {number} from @param {number} count */
function row(all, from, count) {
  const files = all.slice(from, from + count);
  const alone = files.length === 1;
  return html`<li class="picture-row">
    ${files.map((file, index) => {
      const ratio = ratioOf(file);
      const width = Math.min(WIDE, HIGH * ratio, all.length === 1 ? (file.width ?? WIDE) : WIDE);
      // Known before it is loaded, so that the list stays where it is.
      const shape = alone ? `width: ${Math.round(width)}px` : `flex: ${ratio} 1 0`;
      return html`<button
        type="button"
        class="picture"
        tabindex="-1"
        aria-haspopup="dialog"
        aria-label=${t("files.open", { name: plainName(file.name) })}
        .style=${`${shape}; aspect-ratio: ${ratio}`}
        @click=${() => openPicture(all, from + index)}
      >
        ${layers(file)}
      </button>`;
    })}
  </li>`;
}

/** @param {FileObject} file */
function fileRow(file) {
  const [name, size] = [plainName(file.name), sizeText(file.size)];
  return html`<li>
    <button
      type="button"
      class="file"
      tabindex="-1"
      aria-label="${t("files.download", { name })}, ${size}"
      title=${name}
      @click=${() => download(file)}
    >
      <span class="file-icon">${icon("file")}</span>
      <span class="item-text">
        <span class="file-name" dir="auto">${name}</span>
        <span class="file-size">${size}</span>
      </span>
      ${icon("download")}
    </button>
  </li>`;
}

/** The files in a bubble. @param {{files?: FileObject[]}} message */
export function filesOf({ files = [] }) {
  if (files.length === 0) return nothing;
  const pictures = files.filter(isPicture);
  const rows = Array.from({ length: Math.ceil(pictures.length / 2) }, (_, index) => row(pictures, 2 * index, 2));
  return html`<ul class="files" aria-label=${t("files.attached")}>
    ${rows}${files.filter((file) => !isPicture(file)).map(fileRow)}
  </ul>`;
}

/** The same in the menu of a message, for those who use a keyboard. @param {{files?: FileObject[]}} message */
export function fileActions({ files = [] }) {
  const pictures = files.filter(isPicture);
  const show = { label: t("files.show", { count: pictures.length }), icon: "picture" };
  return [
    ...(pictures.length > 0 ? [{ ...show, act: () => openPicture(pictures, 0) }] : []),
    ...files
      .filter((file) => !isPicture(file))
      .map((file) => ({
        label: t("files.download", { name: plainName(file.name) }),
        icon: "download",
        act: () => void download(file),
      })),
  ];
}

/** A picture as large as the screen. @param {Dialog} dialog */
export function pictureDialog(dialog) {
  const files = dialog.files ?? [];
  const place = dialog.place ?? 0;
  const file = files[place];
  if (!file) return { title: "", body: nothing };
  const { width = 1, height = 1 } = file;
  const name = plainName(file.name);
  const go = (/** @type {number} */ step) => {
    dialog.place = (place + step + files.length) % files.length;
    redraw();
  };
  const keydown = (/** @type {KeyboardEvent} */ { key }) => {
    if (files.length > 1 && key === "ArrowLeft") go(-1);
    else if (files.length > 1 && key === "ArrowRight") go(1);
  };
  const step = (/** @type {number} */ by, /** @type {string} */ label, /** @type {string} */ extra) =>
    html`<button class="round ${extra}" aria-label=${label} title=${label} @click=${() => go(by)}>
      ${icon("back")}
    </button>`;
  const body = html`<div class="viewer" @keydown=${keydown}>
    <div class="stage">
      <div
        class="picture"
        .style=${`width: min(100vw - 72px, ${width}px, (100dvh - 190px) * ${width / height}); aspect-ratio: ${width} / ${height}`}
      >
        ${layers(file, name)}
      </div>
    </div>
    <div class="buttons">
      ${
        files.length > 1
          ? html`${step(-1, t("files.previous"), "")}
              <span class="faint" role="status">${t("files.place", { place: place + 1, count: files.length })}</span>
              ${step(1, t("files.next"), "next")}`
          : nothing
      }
      <button
        class="quiet"
        autofocus
        aria-label="${t("files.save")}, ${sizeText(file.size)}"
        title=${sizeText(file.size)}
        @click=${() => download(file)}
      >
        ${t("files.save")}
      </button>
    </div>
  </div>`;
  return { title: name, body };
}
