// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { fields, formError } from "./forms.js";
import { t } from "./i18n.js";
import { client, openDialog, submit, toast } from "./store.js";

/** @import {Dialog} from "./store.js" */
/** @import {Message} from "../client/types.js" */

/** What can be done about somebody else's message. @param {Message} message */
export const reportAction = (message) => ({
  label: t("report.label"),
  icon: "alert",
  act: () => void openDialog({ type: "report", message }),
});

/** Asks why, which need not be answered. @param {Dialog} dialog */
export function reportDialog(dialog) {
  const { error, message } = dialog;
  if (!message) return nothing;
  const send = (/** @type {Event} */ event) => {
    const reason = fields(event)["reason"]?.trim();
    void submit(dialog, async () => {
      await client.calls.report(message, reason);
      toast(t("report.done"));
    });
  };
  return html`<form @submit=${send} novalidate>
    <p class="question">${t("report.text")}</p>
    <div class="field">
      <label for="report-reason">${t("report.reason")}</label>
      <textarea id="report-reason" name="reason" rows="3" maxlength="500" dir="auto"></textarea>
    </div>
    ${formError(error)}
    <div class="buttons"><button class="primary" ?disabled=${dialog.busy}>${t("report.label")}</button></div>
  </form>`;
}
