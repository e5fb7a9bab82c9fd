import { html, raw } from 'hono/html';
import { officeScript } from './office-script.ts';
import { pageStyle } from './page-style.ts';

/** What the customer's page has no use for. */
const STYLE = `
main { max-inline-size: 60rem; margin-block: 2rem auto; }
h1 { margin-block-end: 1.25rem; font-size: 1.375rem; } h2 { margin: 0 0 1rem; font-size: 1.125rem; } h2:focus { outline: none; }
section + section { margin-block-start: 1.5rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem; margin-block-end: 1rem; }
.find { display: flex; flex-wrap: wrap; align-items: end; gap: 1rem; margin-block-end: 1.25rem; }
.find > label { flex: 1 1 13rem; }
.fields > label, .find > label, .wide { display: grid; gap: .25rem; font-size: .9375rem; }
.wide { margin-block-end: 1rem; }
input, select, textarea { inline-size: 100%; min-block-size: 2.75rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--surface); color: inherit; font: inherit; }
textarea { min-block-size: 5rem; resize: vertical; }
[aria-invalid="true"] { border-color: var(--alarm); outline-color: var(--alarm); }
details { margin-block-end: 1rem; } summary { cursor: pointer; margin-block-end: .75rem; }
button { inline-size: auto; min-inline-size: 9rem; min-block-size: 2.75rem; padding: .5rem 1.25rem; font-size: 1rem; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; }
.result { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; align-items: center; margin-block-start: 1.25rem; padding: 1rem; border-radius: .75rem; background: var(--ok); }
.result img { inline-size: 9rem; block-size: 9rem; border-radius: .5rem; background: #fff; }
.address { overflow-wrap: anywhere; font: .875rem/1.5 ui-monospace, Menlo, Consolas, monospace; margin-block: .5rem; user-select: all; }
.scroll { overflow-x: auto; } table { inline-size: 100%; border-collapse: collapse; font-size: .9375rem; }
th, td { padding: .5rem .75rem .5rem 0; text-align: start; border-block-end: 1px solid var(--line); white-space: nowrap; } th { color: var(--muted); font-weight: 600; }
td button { min-inline-size: 0; min-block-size: 2rem; padding: .125rem .75rem; font-size: .875rem; }
.hint { color: var(--muted); font-size: .875rem; } .scroll + .hint { margin-block-start: .75rem; }
@media (max-width: 30rem) { .result { grid-template-columns: 1fr; } }
`;

export interface OfficePageFacts {
  nonce: string;
  /** Address of the page's own calls. */
  callsPath: string;
  /** Who asks the customers, where a link names no merchant. */
  name: string;
}

/**
 * Where a back office makes, lists and revokes links. No field has a name and no form leads anywhere, so that a page
 * whose script did not arrive can't put the key into an address.
 */
export function renderOfficePage({ nonce, callsPath, name }: OfficePageFacts) {
  const facts = raw(JSON.stringify({ callsPath }).replaceAll('<', '\\u003c'));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<title>Links for customers of ${name}</title>
<style nonce="${nonce}">${raw(pageStyle(undefined) + STYLE)}</style>
</head>
<body><main>
<h1>Links for customers of ${name}</h1>
<section class="card" id="gate">
  <p class="hint">Type in the merchant key. It is kept in the memory of this tab, and is gone when you close or reload it.</p>
  <label class="wide">Merchant key<input id="key" type="password" autocomplete="off" spellcheck="false"></label>
  <button type="button" id="enter">Continue</button>
  <p class="notice" id="gate-notice" role="alert"></p>
</section>
<div id="office" hidden>
<section class="card" aria-labelledby="new-title">
  <h2 id="new-title" tabindex="-1">New link</h2>
  <div class="fields">
    <label>Customer (your id)<input id="customer_id" maxlength="128" autocomplete="off" required></label>
    <label>Purpose<select id="purpose"><option value="debit">The customer pays</option><option value="payout">The customer is paid</option></select></label>
    <label>First name<input id="first_name" maxlength="20" autocomplete="off"></label>
    <label>Last name<input id="last_name" maxlength="20" autocomplete="off"></label>
    <label>Email<input id="email" type="email" maxlength="100" autocomplete="off"></label>
    <label>Valid for<select id="expires_in_days"><option value="1">1 day</option><option value="3">3 days</option><option value="7" selected>7 days</option><option value="14">14 days</option><option value="21">21 days</option></select></label>
  </div>
  <details><summary>Repair, owner, authorization</summary>
    <div class="fields">
      <label>Connection to repair<input id="connection" maxlength="64" autocomplete="off" placeholder="con_…"></label>
      <label>Owner of the account<select id="ownership"><option value="">As the server is set</option><option value="report">Report whether the name matches</option><option value="require">Refuse other owners</option></select></label>
    </div>
    <label class="wide">Authorization that the customer accepts<textarea id="text" maxlength="10000"></textarea></label>
    <label class="wide">Version of that text<input id="version" maxlength="64" autocomplete="off" value="1"></label>
  </details>
  <button type="button" id="create">Make the link</button>
  <p class="notice" id="notice" role="alert"></p>
  <div class="result" id="result" role="status" hidden>
    <img id="qr" alt="QR code of the address">
    <div>
      <p>Send this address to the customer. It is shown only here.</p>
      <p class="address" id="address"></p>
      <div class="row"><button type="button" id="copy">Copy</button><span class="hint" id="until"></span></div>
    </div>
  </div>
</section>
<section class="card" aria-labelledby="list-title">
  <h2 id="list-title">Links</h2>
  <div class="find">
    <label>Customer<input id="filter_customer" maxlength="128" autocomplete="off"></label>
    <label>Status<select id="filter_status"><option value="open">Open</option><option value="opened">Opened</option><option value="completed">Completed</option><option value="expired">Expired</option><option value="revoked">Revoked</option><option value="">All</option></select></label>
    <button type="button" id="list" class="quiet">Show</button>
  </div>
  <p class="notice" id="list-notice" role="alert"></p>
  <div class="scroll"><table><thead><tr><th>Link</th><th>Customer</th><th>Status</th><th>Until</th><td></td></tr></thead><tbody id="rows"></tbody></table></div>
  <p class="hint" id="count" role="status"></p>
  <button type="button" id="more" class="quiet" hidden>More</button>
</section>
</div>
</main>
<script type="application/json" id="facts">${facts}</script>
<script nonce="${nonce}">${raw(`(${officeScript.toString()})()`)}</script>
</body>
</html>`;
}
