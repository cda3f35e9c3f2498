// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { withLinks } from "./format.js";
import { client, redraw } from "./store.js";

/** @import {Dialog} from "./store.js" */

/**
 * What somebody says about themselves. It is not in the lists of people, so it is asked for when their details are
 * shown; without an answer there is nothing to show.
 * @param {Dialog} dialog @param {string} userId
 */
export function about(dialog, userId) {
  if (dialog.about === undefined) {
    dialog.about = "";
    client.calls.profile(userId).then(
      (person) => {
        dialog.about = person.about ?? "";
        redraw();
      },
      () => {},
    );
  }
  return dialog.about ? html`<p class="about" dir="auto">${withLinks({ text: dialog.about })}</p>` : nothing;
}
