import { html, type TemplateResult } from 'lit';
import type { Message, Step } from '../step.ts';
import type { Line } from './words.ts';

const PLACES = {
  browser: 'Browser',
  shop: 'Merchant’s server',
  connect: 'Connect server',
  plaid: 'Plaid',
  finix: 'Finix',
};

/** One call, opened: request and response, with every secret masked before it left the server. */
export function exchangeSheet(step: Step, line: Line, close: () => void): TemplateResult {
  const { from, to, what, status, ms, request, response } = step;
  const isFailed = status === null || (status ?? 0) >= 400;
  const outcome = status === undefined ? 'on its way' : status === null ? 'no answer' : String(status);
  return html`<div class="sheet">
    <div class="top">
      <h2 id="exchange-title">${line.who} ${line.text}</h2>
      <button type="button" class="close" aria-label="Close" @click=${close}>×</button>
    </div>
    <p class="route"><span>${PLACES[from]} → ${PLACES[to]}</span>
      <span class=${`status ${isFailed ? 'failed' : ''}`}>${outcome}</span>
      ${ms === undefined ? '' : html`<span>${duration(ms)}</span>`} <code>${what}</code></p>
    ${message('Request', request)}
    ${response ? message('Response', response) : ''}
    <p class="masks">Marked values are secrets. The demo’s server masks them before this page gets them.</p>
  </div>`;
}

function message(title: string, { headers, body }: Message = { headers: {}, body: null }): TemplateResult {
  const lines = Object.entries(headers).map(
    ([name, value]) => html`<span class="name">${name}:</span> ${masked(value)}${'\n'}`,
  );
  const text = body === null || body === undefined ? '' : JSON.stringify(body, null, 2);
  return html`<section class="message">
    <h3>${title}</h3>
    <pre tabindex="0">${lines}${lines.length > 0 && text ? '\n' : ''}${text ? masked(text) : lines.length === 0 ? 'empty' : ''}</pre>
  </section>`;
}

/** The text with what is masked in it made visible as such. */
function masked(text: string): (string | TemplateResult)[] {
  return text
    .split(/((?:[\w-]+_secret_|(?:link|public|access|processor)-sandbox-)?••••••)/)
    .map((part) => (part.includes('••••••') ? html`<span class="masked">${part}</span>` : part));
}

export function duration(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
