import { html, raw } from 'hono/html';
import type { MerchantInput, ProblemCode, Purpose, SessionMode } from '../../widget/contract.ts';
import { linkPage } from './page-script.ts';
import { pageStyle } from './page-style.ts';
import { fillText, PAGE_LANGUAGES, pageTexts } from './page-texts.ts';

export interface LinkPageFacts {
  language: string;
  nonce: string;
  mode: SessionMode;
  purpose: Purpose;
  /** Who asks; `name` is the server's own when the link names no merchant. */
  merchant: Omit<MerchantInput, 'id'>;
  authorization: { text: string; version: string } | undefined;
  /** Address of the page without a query; calls are made below it. */
  path: string;
  /** PUBLIC_URL: where the element's script is, and what it talks to. */
  endpoint: string;
  returnUrl: string | null;
  /** The simulator's Link, where the server talks to the simulator; Plaid's own is loaded by the element. */
  linkScript: string | undefined;
  /** Whether Plaid's Hosted Link is offered where scripts are blocked. */
  isHostedOffered: boolean;
}

const LOCK = raw(
  '<svg width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><rect x="4" y="11" width="16" height="10" rx="2"/><path d="M8 11V7a4 4 0 0 1 8 0v4"/></svg>',
);
const CHECK = raw(
  '<svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="m5 13 4 4L19 7"/></svg>',
);

/** The page on which a customer connects a bank without a page of the merchant's. */
export function renderLinkPage(facts: LinkPageFacts) {
  const texts = pageTexts(facts.language);
  const names = { merchant: facts.merchant.name };
  const ask = facts.mode === 'repair' ? texts.repair : facts.purpose === 'debit' ? texts.debit : texts.payout;
  const title = facts.mode === 'repair' ? texts.reconnect : texts.connect;
  const { starting, start, failed, done, pending } = texts;
  const script = {
    sessionPath: `${facts.path}/session`,
    endpoint: facts.endpoint,
    lang: facts.language,
    nonce: facts.nonce,
    returnUrl: facts.returnUrl,
    texts: { starting, start, failed, done, pending },
  };
  const back = facts.returnUrl === null ? undefined : new URL(facts.returnUrl);
  return document(facts, title, facts.merchant.accent)`
<div class="card">
  ${merchantLine(facts.merchant)}
  <section id="begin">
    <h1>${title}</h1>
    <p class="ask" id="ask">${fillText(ask, names)}</p>
    <button type="button" id="start" hidden>${texts.start}</button>
    <noscript>${facts.isHostedOffered ? withoutScript(facts) : html`<p>${texts.no_script}</p>`}</noscript>
    <div id="place"></div>
    <p class="notice" id="notice" role="alert"></p>
    <p class="safe" id="safe">${LOCK}<span>${fillText(texts.safe, names)}</span></p>
  </section>
  <section id="ended" hidden>
    <h1 id="ended-title" tabindex="-1"></h1>
    <div id="accounts"></div>
    <div class="end">
      ${back ? html`<a class="button" href="${back.href}">${fillText(texts.back, { host: back.host })}</a>` : ''}
      <a class="button quiet" id="copy" download="authorization.txt" hidden>${texts.copy}</a>
      ${back ? '' : html`<p>${texts.close}</p>`}
    </div>
  </section>
  <template id="account"><p class="account">${CHECK}<bdi></bdi></p></template>
</div>
${footer(facts)}
<script type="application/json" id="facts">${raw(JSON.stringify(script).replaceAll('<', '\\u003c'))}</script>
${facts.linkScript ? html`<script nonce="${facts.nonce}" src="${facts.linkScript}"></script>` : ''}
<script nonce="${facts.nonce}" type="module" src="${facts.endpoint}/finix-bank-connect.js"></script>
<script nonce="${facts.nonce}">${raw(`(${linkPage.toString()})()`)}</script>`;
}

/** For a link that is over and for an address that never was one: the same page, without a hint of whose it was. */
export function renderOverPage({ language, nonce }: { language: string; nonce: string }) {
  const texts = pageTexts(language);
  return document({ language, nonce }, texts.over, undefined)`
<div class="card">
  <h1>${texts.over}</h1>
  <p>${texts.over_help}</p>
</div>
${footer({ language, merchant: { name: '' } })}`;
}

/** For a form that was refused: why, and the way back to the page. */
export function renderRefusedPage({ language, nonce, path, code }: RefusedPageFacts) {
  const texts = pageTexts(language);
  const title = code === 'session_busy' ? texts.busy : code === 'rate_limited' ? texts.wait : texts.failed;
  return document({ language, nonce }, title, undefined)`
<div class="card">
  <h1>${title}</h1>
  <div class="end"><a class="button" href="${path}?lang=${language}">${texts.start}</a></div>
</div>`;
}

export interface RefusedPageFacts {
  language: string;
  nonce: string;
  /** Address of the link's page without a query. */
  path: string;
  code: ProblemCode;
}

/** Where Plaid's own page leads to at its end. */
export function renderDonePage({ language, nonce }: { language: string; nonce: string }) {
  const texts = pageTexts(language);
  return document({ language, nonce }, texts.close, undefined)`<div class="card"><h1>${texts.close}</h1></div>`;
}

function document({ language, nonce }: { language: string; nonce: string }, title: string, accent: string | undefined) {
  const direction = language === 'ar' ? 'rtl' : 'ltr';
  return (strings: TemplateStringsArray, ...values: unknown[]) => html`<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style nonce="${nonce}">${raw(pageStyle(accent))}</style>
</head>
<body><main>${html(strings, ...values)}</main></body>
</html>`;
}

function merchantLine({ name, logo_url }: Pick<MerchantInput, 'name' | 'logo_url'>) {
  const [initial = ''] = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
  return html`<div class="merchant">${
    logo_url
      ? html`<img class="logo" src="${logo_url}" alt="" width="44" height="44" referrerpolicy="no-referrer">`
      : html`<span class="logo initial" aria-hidden="true">${initial.toUpperCase()}</span>`
  }<bdi>${name}</bdi></div>`;
}

function footer({ language, merchant }: Pick<LinkPageFacts, 'language'> & { merchant: Omit<MerchantInput, 'id'> }) {
  const texts = pageTexts(language);
  const help = merchant.support_url
    ? html`<a href="${merchant.support_url}" rel="noreferrer">${fillText(texts.help, { merchant: merchant.name })}</a>`
    : html`<span></span>`;
  const choices = PAGE_LANGUAGES.map(
    (code) =>
      html`<option value="${code}" lang="${code}" ${code === language ? raw('selected') : ''}>${pageTexts(code).name}</option>`,
  );
  // A form, so that it works without scripts too.
  return html`<footer>${help}<form><label for="lang">${texts.language}</label><select id="lang" name="lang">${choices}</select><button class="quiet switch" id="switch">OK</button></form></footer>`;
}

function withoutScript({ language, path, authorization }: LinkPageFacts) {
  const texts = pageTexts(language);
  return html`<form method="post" action="${path}/hosted">
<p class="ask">${texts.no_script}</p>
${
  authorization
    ? html`<div class="terms" tabindex="0">${authorization.text}</div><label class="accept"><input type="checkbox" name="accepted" value="yes" required><span>${texts.agree}</span></label>`
    : ''
}
<input type="hidden" name="lang" value="${language}">
<button>${texts.no_script_start}</button></form>`;
}
