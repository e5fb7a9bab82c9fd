import { html, nothing, type TemplateResult } from 'lit';

export function mask(digits: string | null): TemplateResult | typeof nothing {
  return digits ? html`<span part="mask" dir="ltr">••${digits}</span>` : nothing;
}

export function link(act: () => void, text: string, disabled: boolean): TemplateResult {
  return html`<button type="button" class="link" ?disabled=${disabled} @click=${act}>${text}</button>`;
}

export function statusText(text: string): TemplateResult {
  return html`<p part="status">${text}</p>`;
}
