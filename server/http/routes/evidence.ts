import type { Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { html, raw } from 'hono/html';
import type { AuthorizationReceipt, Evidence } from '../../../widget/contract.ts';
import { gatherEvidence } from '../../lifecycle/evidence.ts';
import { createEvidenceKeys } from '../../records/evidence-keys.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';

/** Proof of an authorization: for programs as JSON with a JWS over it, for people as a page to print. */
export function evidenceRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  const { storage, secrets, config } = deps;
  const keys = createEvidenceKeys(storage, secrets, config.evidenceKeys);

  app.get('/v1/connections/:id/evidence', async (c) => {
    credentials.requireMerchant(c);
    const evidence = await gatherEvidence(storage, c.req.param('id'));
    const jws = await keys.sign(JSON.stringify(evidence));
    c.header('Vary', 'Accept');
    c.header('Cache-Control', 'no-store');
    if (accepts(c, SHAPES) !== 'text/html') return c.json({ ...evidence, jws });
    c.header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    return c.html(renderPage(evidence, jws, config.publicUrl));
  });

  app.get('/.well-known/jwks.json', async (c) => {
    c.header('Cache-Control', 'public, max-age=300');
    return c.json(await keys.published());
  });
}

type Shapes = Parameters<typeof accepts>[1];
type Ranges = Parameters<NonNullable<Shapes['match']>>[0];

/** JSON, unless a page is what the caller prefers. */
const SHAPES: Shapes = {
  header: 'Accept',
  supports: ['application/json', 'text/html'],
  default: 'application/json',
  match(ranges) {
    const json = weigh(ranges, 'application/json');
    const html = weigh(ranges, 'text/html');
    const isNearer =
      html.specificity > json.specificity || (html.specificity === json.specificity && html.at < json.at);
    return html.q > json.q || (html.q > 0 && html.q === json.q && isNearer) ? 'text/html' : 'application/json';
  },
};

/**
 * What a caller thinks of a media type: the most specific range decides (RFC 9110, 12.5.1), so that a page which is
 * named as a last resort is none where everything is welcome.
 */
function weigh(ranges: Ranges, type: string): { q: number; specificity: number; at: number } {
  const spellings = ['*/*', `${type.split('/')[0]}/*`, type];
  const weights = ranges.map(({ type: range, q }, at) => ({
    q,
    specificity: spellings.indexOf(range.toLowerCase()),
    at,
  }));
  const [best] = weights.filter(({ specificity }) => specificity >= 0).sort((a, b) => b.specificity - a.specificity);
  return best ?? { q: 0, specificity: -1, at: ranges.length };
}

const STYLE = `
@page { size: letter; margin: 18mm 16mm; }
:root { color-scheme: light; font: 11pt/1.45 Georgia, 'Times New Roman', serif; color: #111; background: #fff; }
body { max-width: 46rem; margin: 2.5rem auto; padding: 0 1.25rem; }
header { border-bottom: 2px solid #111; padding-bottom: .75rem; margin-bottom: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; break-after: avoid; }
header p, .note { margin: 0; color: #444; font-size: .9rem; }
dl { display: grid; grid-template-columns: 13rem 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: #444; } dd { margin: 0; overflow-wrap: anywhere; }
blockquote { margin: 0 0 .75rem; padding: .75rem 1rem; border: 1px solid #999; white-space: pre-wrap; break-inside: avoid; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #ccc; overflow-wrap: anywhere; }
th { font-weight: 600; color: #444; } tr { break-inside: avoid; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
code { font: .82rem/1.4 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
`;

const row = (name: string, value: string | null) => html`<dt>${name}</dt><dd>${value ?? '–'}</dd>`;

function agreement({ text, version, language, text_sha256, accepted_at, ip, user_agent }: AuthorizationReceipt) {
  return html`<blockquote lang="${language}" dir="auto">${text}</blockquote>
<dl>${row('Accepted at', accepted_at)}${row('Text version', version)}${row('Language', language)}${row('SHA-256 of the text', text_sha256)}${row('IP address', ip)}${row('Browser', user_agent)}</dl>`;
}

/** A heading with nothing below it looks like a page that was cut off, so an empty list is named as such. */
function table(heads: string[], rows: (string | null)[][]) {
  if (rows.length === 0) return html`<p>None.</p>`;
  return html`<table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell ?? ''}</td>`)}</tr>`)}</tbody></table>`;
}

function returned({ at, code, failure_code, transfer, amount, currency }: Evidence['returns'][number]) {
  return [
    at,
    code ?? failure_code,
    transfer,
    amount === null ? null : `${(amount / 100).toFixed(2)} ${currency ?? ''}`,
  ];
}

function renderPage(evidence: Evidence, jws: string, publicUrl: string) {
  const {
    authorization,
    later_authorizations,
    merchant,
    institution,
    account,
    verification,
    payment_instruments,
    returns,
    events,
  } = evidence;
  const bank = [institution.name, account.name, account.mask && `ending in ${account.mask}`].filter(Boolean).join(', ');
  const { owner } = verification;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<title>Authorization record ${evidence.connection}</title><style>${raw(STYLE)}</style></head><body>
<header><h1>Record of a bank account authorization</h1>
<p>Connection ${evidence.connection}. All times are in UTC.</p></header>
<h2>Authorization</h2>
${merchant ? html`<dl>${row('Merchant', `${merchant.name} (${merchant.id})`)}</dl>` : ''}
${authorization ? agreement(authorization) : html`<p>No authorization text was shown by this server.</p>`}
${later_authorizations.length > 0 ? html`<h2>Later authorizations</h2>${later_authorizations.map(agreement)}` : ''}
<h2>Account</h2>
<dl>${row('Customer', evidence.customer_id)}${row('Purpose', evidence.purpose)}${row('Account', bank || null)}${row('Kind', [account.type, account.subtype].filter(Boolean).join(', ') || null)}${row('Holder', verification.holder_category)}${row('Plaid Link session', evidence.link_session_id)}${row('Finix identity', evidence.finix_identity)}</dl>
<h2>Verification</h2>
<dl>${row('Method', verification.method)}${row('Verified at', verification.verified_at)}${row('Owner, overall', owner.status)}${row('Owner’s name', owner.name)}${row('Owner’s email', owner.email)}${row('Owner’s phone', owner.phone)}${row('Owner’s address', owner.address)}${row('Owner compared at', owner.checked_at)}</dl>
<h2>Payment instruments</h2>
${table(
  ['Finix payment instrument', 'Since'],
  payment_instruments.map(({ id, created_at }) => [id, created_at]),
)}
<h2>Status</h2>
${table(
  ['At', 'Event', 'By', 'Reason'],
  events.map(({ at, action, actor, reason }) => [at, action.replace('connection.', ''), actor, reason]),
)}
${returns.length > 0 ? html`<h2>Returned debits and payouts</h2>${table(['At', 'Code', 'Transfer', 'Amount'], returns.map(returned))}` : ''}
<h2>Signature</h2>
<p class="note">The record as JSON, signed with Ed25519 (JWS, compact). Keys: ${publicUrl}/.well-known/jwks.json</p>
<p><code>${jws}</code></p>
</body></html>`;
}
