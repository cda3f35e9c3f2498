// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { FILE_BYTES, FILE_COUNT } from "../client/index.js";
import { plainName, sizeText } from "./files.js";
import { icon } from "./format.js";
import { t } from "./i18n.js";
import { measure } from "./scale.js";
import { afterDrawing, announce, client, failure, redraw, toast } from "./store.js";

/** Files that are going to be sent: they are uploaded as soon as they are chosen. */

/** @import {FileObject} from "../client/types.js" */
/** @import {Failure} from "./store.js" */

/**
 * @typedef {object} Attachment
 * @property {number} key
 * @property {File} source
 * @property {string} name
 * @property {string} thumb the address of a small picture; empty for other files
 * @property {number} share how much of it is uploaded, from 0 to 1
 * @property {'waiting' | 'running' | 'done' | 'failed'} state
 * @property {Failure | null} error
 * @property {FileObject | null} file once it is uploaded
 * @property {AbortController} abort
 */

/** How many are uploaded at a time. */
const PARALLEL = 3;
/**
 * By chat. They do not survive a reload: a page cannot read a file again by itself.
 * @type {Map<string, Attachment[]>}
 */
const chosen = new Map();
let serial = 0;
/** Whether files are held over the conversation. */
let over = false;

/** @param {string} chatId */
const attachments = (chatId) => chosen.get(chatId) ?? [];

/** As the server takes it. @param {string} name */
function fitting(name) {
  const clean = [...name.replace(/[/\\\p{Cc}]/gu, "_").trim()];
  if (clean.length <= 255) return clean.join("") || "file";
  // What a program goes by is at the end.
  return [...clean.slice(0, 235), "…", ...clean.slice(-19)].join("");
}

/** The type of something that is not shown as a picture. @param {string} type */
function plainType(type) {
  const [name = ""] = type.toLowerCase().split(";");
  const known = /^[a-z0-9][a-z0-9.+-]{0,60}\/[a-z0-9][a-z0-9.+-]{0,60}$/.test(name);
  return known && !/^image\/(jpeg|png|gif|webp)$/.test(name) ? name : "application/octet-stream";
}

/** Says why some files cannot be sent. @param {File[]} large @param {File[]} empty @param {number} many */
function refuse(large, empty, many) {
  const name = plainName((large[0] ?? empty[0])?.name ?? "");
  if (large.length > 0) toast(t("attach.tooLarge", { count: large.length, name }), "error");
  else if (empty.length > 0) toast(t("attach.empty", { name }), "error");
  else if (many > 0) toast(t("attach.tooMany", { count: FILE_COUNT }), "error");
}

/** @param {string} chatId @param {Iterable<File>} files */
export function attach(chatId, files) {
  const list = attachments(chatId);
  const all = [...files];
  const large = all.filter(({ size }) => size > FILE_BYTES);
  const empty = all.filter(({ size }) => size === 0);
  const good = all.filter((file) => !large.includes(file) && !empty.includes(file));
  const taken = good.slice(0, FILE_COUNT - list.length);
  refuse(large, empty, good.length - taken.length);
  const added = taken.map((source) => ({
    key: ++serial,
    source,
    name: fitting(source.name),
    thumb: "",
    share: 0,
    state: /** @type {const} */ ("waiting"),
    error: null,
    file: null,
    abort: new AbortController(),
  }));
  if (added.length === 0) return;
  chosen.set(chatId, [...list, ...added]);
  next();
  afterDrawing(() => {
    if (matchMedia("(hover: hover)").matches) document.getElementById("composer")?.focus();
  });
}

function next() {
  const all = [...chosen.values()].flat();
  let free = PARALLEL - all.filter(({ state }) => state === "running").length;
  for (const item of all) if (item.state === "waiting" && free-- > 0) void upload(item);
  redraw();
}

/** @param {Attachment} item */
async function upload(item) {
  Object.assign(item, { state: "running", share: 0, error: null });
  const { source, name, abort } = item;
  const progress = (/** @type {number} */ share) => {
    item.share = share;
    redraw();
  };
  try {
    const picture = await measure(source);
    item.thumb = picture?.thumb ?? "";
    redraw();
    const { width, height, preview } = picture ?? {};
    const shape = width && height ? { width, height, ...(preview ? { preview } : {}) } : {};
    const content_type = picture ? source.type : plainType(source.type);
    const about = { name, content_type, size: source.size, ...shape };
    const options = { progress, signal: abort.signal };
    item.file = await client.files.upload(source, about, options).catch((error) => {
      // What the server does not take for a picture is sent as any other file.
      if (!picture || !["file_refused", "invalid_field"].includes(error?.code)) throw error;
      Object.assign(item, { thumb: "", share: 0 });
      redraw();
      const plain = { name, content_type: "application/octet-stream", size: source.size };
      return client.files.upload(source, plain, options);
    });
    item.state = "done";
    if (!abort.signal.aborted) announce(t("attach.done", { name }));
  } catch (error) {
    if (/** @type {any} */ (error)?.code === undefined) console.error(error);
    Object.assign(item, { state: "failed", error: failure(error) });
    if (!abort.signal.aborted) announce(`${name}: ${item.error?.text}`);
  }
  next();
}

/** @param {string} chatId @param {Attachment} item */
function remove(chatId, item) {
  item.abort.abort();
  chosen.set(
    chatId,
    attachments(chatId).filter((other) => other !== item),
  );
  document.getElementById("composer")?.focus();
  next();
}

/** @param {Attachment} item */
function retry(item) {
  item.state = "waiting";
  next();
}

/** How many files a chat's next message has. @param {string} chatId */
export const attachedTo = (chatId) => attachments(chatId).length;

/** Why a message cannot be sent yet, in words; empty if it can. @param {string} chatId */
export function notReady(chatId) {
  const list = attachments(chatId);
  if (list.some(({ state }) => state === "failed")) return t("attach.someFailed");
  return list.some(({ state }) => state !== "done") ? t("attach.wait") : "";
}

/** Takes the files for a message that is being sent. @param {string} chatId @returns {FileObject[]} */
export function takeAttached(chatId) {
  const files = attachments(chatId).flatMap(({ file }) => file ?? []);
  chosen.delete(chatId);
  return files;
}

/** Gives up everything: nobody else sends it. */
export function forgetAttached() {
  for (const { abort } of [...chosen.values()].flat()) abort.abort();
  chosen.clear();
  over = false;
}

/** @param {string} chatId @param {Attachment} item */
function chip(chatId, item) {
  const { name, state, error, share, source } = item;
  const shown = plainName(name);
  const status =
    state === "failed"
      ? html`<span class="danger-text">${error?.text}</span>`
      : state === "done"
        ? sizeText(source.size)
        : html`<progress max="1" .value=${share} aria-label=${t("attach.uploading", { name: shown })}></progress>`;
  return html`<li class="attachment ${state}">
    ${
      item.thumb
        ? html`<img class="thumb" src=${item.thumb} alt="" />`
        : html`<span class="file-icon">${icon("file")}</span>`
    }
    <span class="item-text"><span class="file-name" dir="auto">${shown}</span><span class="file-size">${status}</span></span>
    ${
      state === "failed"
        ? html`<button
            type="button"
            class="round tiny"
            aria-label=${t("attach.retry", { name: shown })}
            title=${t("action.retry")}
            @click=${() => retry(item)}
          >
            ${icon("retry")}
          </button>`
        : nothing
    }
    <button
      type="button"
      class="round tiny"
      aria-label=${t("attach.remove", { name: shown })}
      title=${t("attach.remove", { name: shown })}
      @click=${() => remove(chatId, item)}
    >
      ${icon("close")}
    </button>
  </li>`;
}

/** What has been chosen, above the field to write in. @param {string} chatId */
export function attachedChips(chatId) {
  const list = attachments(chatId);
  if (list.length === 0) return nothing;
  return html`<ul class="attachments" aria-label=${t("attach.chosen")}>
      ${repeat(
        list,
        (item) => item.key,
        (item) => chip(chatId, item),
      )}
    </ul>
    <p class="hint" id="not-ready">${notReady(chatId) || nothing}</p>`;
}

/** The button that asks for files. @param {string} chatId */
export function attachButton(chatId) {
  const change = (/** @type {any} */ { target }) => {
    attach(chatId, target.files);
    // The same file can be chosen again.
    target.value = "";
  };
  return html`<input type="file" id="attach" multiple hidden @change=${change} />
    <button
      type="button"
      class="round clip"
      aria-label=${t("attach.title")}
      title=${t("attach.title")}
      @click=${() => document.getElementById("attach")?.click()}
    >
      ${icon("clip")}
    </button>`;
}

/** Takes pictures that are pasted; text stays what it is. @param {string} chatId @param {ClipboardEvent} event */
export function paste(chatId, event) {
  const data = event.clipboardData;
  // Out of some programs, a text comes with a picture of it.
  if (!data?.files.length || data.getData("text/plain")) return;
  event.preventDefault();
  attach(chatId, data.files);
}

/** @param {DragEvent} event */
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

/** @param {boolean} value */
function setOver(value) {
  if (over === value) return;
  over = value;
  redraw();
}

/** What files can be dropped on. @param {string} chatId @param {boolean} open whether it takes any now */
export function dropTarget(chatId, open) {
  return {
    over: over && open,
    dragover: (/** @type {DragEvent} */ event) => {
      if (!holdsFiles(event) || !open) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
      setOver(true);
    },
    dragleave: (/** @type {DragEvent} */ event) => {
      const inside = event.relatedTarget instanceof Node && event.currentTarget instanceof Node;
      if (!inside || !event.currentTarget.contains(event.relatedTarget)) setOver(false);
    },
    drop: (/** @type {DragEvent} */ event) => {
      setOver(false);
      if (!holdsFiles(event) || !open) return;
      event.preventDefault();
      const items = [...(event.dataTransfer?.items ?? [])];
      // A directory looks like a file that cannot be read.
      const files = items.flatMap((item) => (item.webkitGetAsEntry?.()?.isDirectory ? [] : (item.getAsFile() ?? [])));
      attach(chatId, files);
    },
  };
}

// A file that is dropped anywhere else would take the place of the page.
for (const type of ["dragover", "drop"]) {
  addEventListener(type, (event) => {
    const drag = /** @type {DragEvent} */ (event);
    if (drag.defaultPrevented || !holdsFiles(drag)) return;
    drag.preventDefault();
    if (drag.dataTransfer) drag.dataTransfer.dropEffect = "none";
  });
}
