import { html, type TemplateResult } from 'lit';
import type { AuthorizationText } from '../contract.ts';
import { noticeIcon } from '../element/icons.ts';
import { languageOf } from '../element/language.ts';
import { fill } from '../i18n/fill.ts';
import { accountLine, kindOf, link } from '../lazy/view-pieces.ts';
import type { DetourView } from './view.ts';

/** What the server has to ask the customer between Link and the connection: which account, or whether they agree. */
export function dialogFor(view: DetourView): TemplateResult {
  const { state, strings, merchant, purpose } = view;
  if (state.phase === 'choosing') {
    return dialog(
      view,
      strings.choose_title,
      html`<fieldset>
        <legend>${strings.choose_text}</legend>
        ${state.accounts.map(
          // None is chosen ahead: which account is debited is the customer's decision.
          (account) => html`<label>
            <input type="radio" name="account" value=${account.id} required />
            <span class="account">
              ${accountLine(account.name, account.mask)}
              <span class="small">${kindOf(account.subtype, strings)}</span>
            </span>
          </label>`,
        )}
      </fieldset>`,
      strings.use_account,
      (form) => view.send({ type: 'choose', ids: [String(new FormData(form).get('account'))] }),
    );
  }
  return dialog(
    view,
    purpose === 'debit' ? strings.authorize_title : strings.authorize_payout,
    html`<div class="text" dir="auto" lang=${languageOf(view.element)}>${state.authorization?.text}</div>
      <p class="small">
        ${fill(strings.revoke, { merchant })}
        <a class="link" href=${copyOf(state.authorization, merchant)} download="authorization.txt">${strings.save_copy}</a>
      </p>`,
    strings.agree,
    // Where Link is still to come, it opens next, but not for a press while the element is disabled.
    () => view.send({ type: state.submission || (!view.disabled && view.mayOpen()) ? 'accept' : 'decline' }),
  );
}

/** A file with the text as it is shown, to whom and when, and what identifies it. */
function copyOf(authorization: AuthorizationText | null, merchant: string): string {
  if (!authorization) return '';
  const { text, version, text_sha256 } = authorization;
  const file = `${merchant}\n${new Date().toISOString()}\n\n${text}\n\n${version}\nSHA-256: ${text_sha256}\n`;
  return `data:text/plain;charset=utf-8,${encodeURIComponent(file)}`;
}

/**
 * Escape is a no to the question, and not also to a dialog of the page around the element; a choice in it is no input
 * of the page's form.
 */
const keepInside = (event: Event) => event.stopPropagation();

function dialog(
  view: DetourView,
  title: string,
  content: TemplateResult,
  yes: string,
  submit: (form: HTMLFormElement) => void,
) {
  const submitted = (event: SubmitEvent) => {
    event.preventDefault();
    submit(event.target as HTMLFormElement);
  };
  const { missing, strings } = view;
  // The focus begins at the title: further down, a long text would be shown from its end. Outside of a modal dialog
  // nothing is announced.
  return html`<form @submit=${submitted} @keydown=${keepInside} @input=${keepInside}>
    <h2 id="title" tabindex="-1" autofocus>${title}</h2>
    ${content}
    <p role="status" class=${missing ? 'error' : 'spoken'}>${missing ? [noticeIcon, strings.required] : ''}</p>
    <div class="answers">
      <button class="main">${yes}</button>
      ${link(view.decline, strings.cancel, false)}
    </div>
  </form>`;
}
