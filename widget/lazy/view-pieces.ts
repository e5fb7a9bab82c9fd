import { html, nothing, type TemplateResult } from 'lit';
import type { Connection } from '../contract.ts';
import type { View } from '../element/view.ts';
import type { LateStrings } from '../i18n/late.ts';

/** Plaid's words for the kinds of account that can be connected. */
const KINDS: Record<string, keyof LateStrings> = {
  checking: 'checking',
  savings: 'savings',
  'cash management': 'cash_management',
};

export function kindOf(subtype: string | null, strings: LateStrings): string | null {
  const key = KINDS[subtype ?? ''];
  return key ? strings[key] : subtype;
}

/**
 * "Chase ••1234" as one piece: it has the direction of the name, whose end is cut where it doesn't fit, and never the
 * digits.
 */
export function accountLine(name: string, digits: string | null): TemplateResult {
  // White space between the parts would be shown by the line's gap and read as well.
  return html`<span class="line" dir="auto"
    ><span part="bank-name" title=${name}>${name}</span> ${digits ? html`<span part="mask" dir="ltr">••${digits}</span>` : nothing}</span
  >`;
}

export function link(act: () => void, text: string, disabled: boolean): TemplateResult {
  return html`<button type="button" class="link" ?disabled=${disabled} @click=${() => act()}>${text}</button>`;
}

/** Hidden, for the attributes of the control that refer to them. */
export function named({ names }: View): TemplateResult {
  return html`<span id="name" hidden>${names?.label}</span><span id="description" hidden>${names?.description}</span>`;
}

/** "Chase ••1234" */
export function bankOf(
  { institution, account }: Pick<Connection, 'institution' | 'account'>,
  strings: LateStrings,
): string {
  const name = institution.name ?? strings.your_bank;
  return account.mask ? `${name} ••${account.mask}` : name;
}
