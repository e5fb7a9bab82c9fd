import type { Ledger } from '../../demo/simulator/index.ts';
import { sha256 } from '../../server/ids.ts';
import type { Connection } from '../../widget/contract.ts';
import type { Outcome } from './customer.ts';

/** What is wrong in the upstream state, in words; empty lists: nothing. */
export interface Verdict {
  sessions: number;
  completed: number;
  restartsAsked: number;
  /**
   * Customers without the bank they connected, or with one that has been disabled; Items left at Plaid that no
   * connection uses.
   */
  lost: string[];
  /** Customers with more than one enabled instrument, or more than one identity, at Finix. */
  double: string[];
  /** Customers who were sent through Link again although their token was still good, or its exchange was answered. */
  needless: string[];
  longestMs: number;
}

export function isClean({ lost, double, needless }: Verdict): boolean {
  return lost.length + double.length + needless.length === 0;
}

export interface Evidence {
  upstream: Ledger;
  outcomes: Outcome[];
  /** As the merchant reads them at the end, by the customer's email. */
  connections: Map<string, Connection[]>;
  /** Instances died, froze or lost their database: an answer may have been lost on the server's side of the wire. */
  instancesSuffer: boolean;
  /**
   * A process was frozen for longer than the quiet period just before it sent a create call. A second instrument is
   * then found and disabled; a second identity can't be disabled, so Finix keeps it, unused.
   */
  identitiesMayDouble: boolean;
  /** SHA-256 of the public tokens whose exchange an instance had no answer to in time. */
  unanswered: ReadonlySet<string>;
}

export function checkSessions({
  upstream,
  outcomes,
  connections,
  instancesSuffer,
  identitiesMayDouble,
  unanswered,
}: Evidence): Verdict {
  const verdict: Verdict = {
    sessions: outcomes.length,
    completed: 0,
    restartsAsked: 0,
    lost: [],
    double: [],
    needless: [],
    longestMs: 0,
  };
  const index = indexOf(upstream);
  for (const outcome of outcomes) {
    const { email, kind, final } = outcome;
    const instruments = index.instruments.get(email) ?? [];
    const enabled = instruments.filter((instrument) => instrument.enabled);
    verdict.longestMs = Math.max(verdict.longestMs, outcome.ms);
    if ((index.identities.get(email) ?? 0) > 1 && !identitiesMayDouble)
      verdict.double.push(`${email}: more than one identity`);

    const shown = final?.connections.flatMap(({ payment_instrument }) => payment_instrument ?? []) ?? [];
    const kept = (connections.get(email) ?? []).filter(({ status }) => status === 'active');
    if (enabled.length > 1) verdict.double.push(`${email}: ${enabled.length} enabled instruments`);
    // Another fault can end the session before Finix refuses the customer.
    if (kind === 'is refused' && final?.status === 'failed') {
      verdict.completed++;
      if (enabled.length > 0) verdict.lost.push(`${email}: an instrument of an ended session is enabled`);
    } else if (final?.status !== 'completed' || shown.length !== 1) {
      verdict.lost.push(
        `${email}: ended as ${final?.status ?? 'nothing in time'} (${final?.error?.code ?? outcome.lastAnswer})`,
      );
    } else {
      verdict.completed++;
      if (!enabled.some(({ id }) => id === shown[0])) {
        verdict.lost.push(`${email}: was shown ${shown[0]}, which is not enabled`);
      }
      if (kept.length !== 1 || kept[0]?.payment_instrument !== shown[0]) {
        verdict.lost.push(`${email}: was shown ${shown[0]}, the merchant reads ${kept[0]?.payment_instrument}`);
      }
    }
    checkItems(
      verdict,
      outcome,
      index,
      (token, handled) => handled && (instancesSuffer || unanswered.has(sha256(token))),
    );
  }
  return verdict;
}

/**
 * Every exchanged Item belongs to a completed session, or has been removed, or its access token never reached the
 * server.
 */
function checkItems(
  verdict: Verdict,
  outcome: Outcome,
  index: Index,
  mayBeLost: (token: string, handled: boolean) => boolean,
): void {
  const { email, final } = outcome;
  const last = outcome.tokens.at(-1);
  for (const run of outcome.tokens) {
    const exchange = index.exchanges.get(run.token) ?? { handled: false, answerLost: false };
    const item = index.items.get(run.token);
    const answerLost = exchange.answerLost || mayBeLost(run.token, exchange.handled);
    if (run.restartAsked) {
      verdict.restartsAsked++;
      if (!answerLost) verdict.needless.push(`${email}: restart asked although the exchange's answer was not lost`);
      continue;
    }
    if (run !== last || !item) continue;
    if (final?.status === 'completed' && item.removed)
      verdict.lost.push(`${email}: the Item of a completed session was removed`);
    if (final && final.status !== 'completed' && item.exchanged && !item.removed) {
      verdict.lost.push(`${email}: the Item of an ended session was left at Plaid`);
    }
  }
}

interface Index {
  identities: Map<string, number>;
  instruments: Map<string, { id: string; enabled: boolean }[]>;
  items: Map<string, { exchanged: boolean; removed: boolean }>;
  exchanges: Map<string, Exchange>;
}

function indexOf(upstream: Ledger): Index {
  const index: Index = { identities: new Map(), instruments: new Map(), items: new Map(), exchanges: new Map() };
  const emails = new Map<string, string>();
  for (const { id, entity } of upstream.identities()) {
    const email = String((entity as { email?: unknown }).email);
    emails.set(id, email);
    index.identities.set(email, (index.identities.get(email) ?? 0) + 1);
  }
  for (const { id, identity, enabled } of upstream.instruments()) {
    const email = emails.get(String(identity)) ?? '';
    index.instruments.set(email, [...(index.instruments.get(email) ?? []), { id, enabled: enabled === true }]);
  }
  const items = new Map(upstream.items().map((item) => [item.item_id, item]));
  for (const { public_token, item_id } of upstream.publicTokens()) {
    const item = items.get(item_id);
    if (item) index.items.set(public_token, item);
  }
  index.exchanges = exchangesIn(upstream);
  return index;
}

interface Exchange {
  /** Plaid has exchanged the token. */
  handled: boolean;
  /** And the response that confirms it can't have been read. */
  answerLost: boolean;
}

/** What has become of each public token that was sent, as far as Plaid's side of the wire shows it. */
export function exchangesIn(upstream: Ledger): Map<string, Exchange> {
  const exchanges = new Map<string, Exchange>();
  for (const call of upstream.calls()) {
    if (call.path !== '/item/public_token/exchange') continue;
    const token = String((call.body as { public_token?: unknown }).public_token);
    const known = exchanges.get(token) ?? { handled: false, answerLost: false };
    // No answer, none that can be read, or an error after it was done.
    const isUnreadable = call.status === null || call.fault === 'html' || call.fault === 'malformed';
    // A call that never reached Plaid leaves the token as good as it was.
    const answerLost = call.handled && (isUnreadable || (call.status ?? 0) >= 500);
    exchanges.set(token, {
      handled: known.handled || call.handled,
      answerLost: known.answerLost || answerLost,
    });
  }
  return exchanges;
}
