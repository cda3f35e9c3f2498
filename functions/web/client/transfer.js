// @ts-check
import { WindiError } from "./errors.js";

/**
 * Bytes on their way to where files are stored, which is another server, or this one.
 * @typedef {object} Transfer
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {Blob} body
 * @property {(share: number) => void} [progress] how much has been sent, from 0 to 1
 * @property {AbortSignal} [signal]
 */

/** A transfer that has not moved for so long is dead. */
const STALL_MS = 60_000;
/** A browser sets these by itself, and complains about who tries to. */
const OWN_HEADERS = new Set(["content-length", "host"]);

/** @param {Record<string, string>} headers */
const settable = (headers) => Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));

/** In a browser: `fetch` does not tell how much has been sent. @param {Transfer} transfer @returns {Promise<number>} */
export function putByXhr({ method, url, headers, body, progress, signal }) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new WindiError("aborted"));
    const request = new XMLHttpRequest();
    /** @type {any} */
    let timer = null;
    const abort = () => request.abort();
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, STALL_MS);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (request.status > 0) resolve(request.status);
      else reject(new WindiError(signal?.aborted ? "aborted" : "network", { message: `${method} failed` }));
    };
    request.upload.onprogress = ({ loaded, total }) => {
      alive();
      if (total > 0) progress?.(loaded / total);
    };
    request.open(method, url);
    for (const [name, value] of settable(headers)) request.setRequestHeader(name, value);
    signal?.addEventListener("abort", abort);
    alive();
    request.send(body);
  });
}

/** Elsewhere. @param {Transfer} transfer @returns {Promise<number>} */
export async function putByFetch({ method, url, headers, body, progress, signal }) {
  const given = Object.fromEntries(settable(headers));
  try {
    const rest = signal ? { signal } : {};
    const { status } = await fetch(url, { method, headers: given, body, credentials: "omit", ...rest });
    progress?.(1);
    return status;
  } catch (error) {
    throw new WindiError(signal?.aborted ? "aborted" : "network", { message: String(error) });
  }
}
