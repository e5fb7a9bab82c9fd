import { html, type TemplateResult } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import type { StoryState } from '../step.ts';

/** The repair link as the customer gets it, for a phone in the room. */
export function linkSheet(link: NonNullable<StoryState['link']>, customer: string, close: () => void): TemplateResult {
  const isLocal = /^https?:\/\/(127\.|localhost)/.test(link.url);
  return html`<div class="sheet">
    <div class="top">
      <h2 id="link-title">A link that repairs the login</h2>
      <button type="button" class="close" aria-label="Close" @click=${close}>×</button>
    </div>
    <div class="qr" role="img" aria-label="QR code of the link">${
      // Drawn by the connect server from an address of its own.
      unsafeHTML(link.qr)
    }</div>
    <p>${customer} gets it by mail or message, and signs in again on any device. It works once.</p>
    <p><a href=${link.url} target="_blank" rel="noopener">Open it here</a></p>
    ${
      isLocal
        ? html`<p class="masks">A phone can’t reach this address: the demo listens on this machine only. Start it with <code>npm run demo -- --lan</code> to share it with the network.</p>`
        : html`<p class="masks">A phone in the same network can open it. Guest networks often keep devices apart.</p>`
    }
  </div>`;
}
