import { html, nothing, type TemplateResult } from 'lit';
import type { StringKey, Strings } from '../i18n/index.ts';

/** Plaid's words for the kinds of account that can be connected. */
const KINDS: Record<string, StringKey> = {
  checking: 'checking',
  savings: 'savings',
  'cash management': 'cash_management',
};

export function kindOf(subtype: string | null, strings: Strings): string | null {
  const key = KINDS[subtype ?? ''];
  return key ? strings[key] : subtype;
}

export function mask(digits: string | null): TemplateResult | typeof nothing {
  return digits ? html`<span part="mask" dir="ltr">••${digits}</span>` : nothing;
}

export function link(act: () => void, text: string, disabled: boolean): TemplateResult {
  return html`<button type="button" class="link" ?disabled=${disabled} @click=${act}>${text}</button>`;
}

export function statusText(text: string): TemplateResult {
  return html`<p part="status" id="said">${text}</p>`;
}
