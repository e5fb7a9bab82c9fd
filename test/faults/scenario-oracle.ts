import { sha256 } from '../../server/ids.ts';
import type { Connection, ConnectionStatus } from '../../widget/contract.ts';
import type { Outcome } from './customer.ts';
import { exchangesIn, type Verdict } from './oracle.ts';
import type { ScenarioCustomer } from './scenarios/customer.ts';
import type { Scenario } from './scenarios/scenario.ts';
import type { UpstreamView } from './scenarios/upstream-view.ts';

/** A connection's change, as the merchant's endpoint received it. */
export interface MerchantEvent {
  id: string;
  status: ConnectionStatus;
  updated_at: string;
}

export interface ScenarioEvidence {
  upstream: UpstreamView;
  scenarios: ReadonlyMap<ScenarioCustomer, Scenario>;
  /** As the merchant reads them at the end, by the customer's email. */
  connections: ReadonlyMap<string, Connection[]>;
  /** In the order of their arrival. */
  events: MerchantEvent[];
  /** See Evidence. */
  unanswered: ReadonlySet<string>;
  instancesSuffer: boolean;
}

/**
 * Compares the connections, their instruments at Finix and the merchant's events with what happened to each customer.
 */
export function checkScenarios(evidence: ScenarioEvidence): Verdict {
  const { upstream, scenarios, connections, events } = evidence;
  const outcomes = [...scenarios.keys()].flatMap(({ outcome }): Outcome[] => (outcome ? [outcome] : []));
  const verdict: Verdict = {
    sessions: scenarios.size,
    completed: outcomes.filter(({ final }) => final?.status === 'completed').length,
    restartsAsked: outcomes.flatMap(({ tokens }) => tokens).filter(({ restartAsked }) => restartAsked).length,
    lost: [],
    double: [],
    needless: [],
    longestMs: Math.max(0, ...outcomes.map(({ ms }) => ms)),
  };
  const beyondReach = itemsBeyondReach(evidence);
  for (const [customer, scenario] of scenarios) {
    const { email } = customer;
    const about = `${email} (${scenario.name})`;
    const found = checkScenario(scenario, {
      connections: connections.get(email) ?? [],
      instruments: upstream.instrumentsOf(email),
      identities: upstream.identitiesOf(email),
      items: upstream.itemsOf(customer.itemIds).filter(({ item_id }) => !beyondReach.has(item_id)),
      events,
    });
    verdict.lost.push(...[...customer.problems, ...found.lost].map((words) => `${about}: ${words}`));
    verdict.double.push(...found.double.map((words) => `${about}: ${words}`));
  }
  return verdict;
}

/** Plaid gives an access token once: where that answer was lost, the Item can't be removed by any server. */
function itemsBeyondReach({ upstream, scenarios, unanswered, instancesSuffer }: ScenarioEvidence): Set<string> {
  const { ledger } = upstream.simulator;
  const exchanges = exchangesIn(ledger);
  const restarted = new Set([...scenarios.keys()].flatMap((customer) => [...customer.restartedTokens]));
  const tokens = ledger.publicTokens().filter(({ public_token: token }) => {
    const { handled, answerLost } = exchanges.get(token) ?? { handled: false, answerLost: false };
    const isUnanswered = unanswered.has(sha256(token)) || (instancesSuffer && restarted.has(token));
    return answerLost || (handled && isUnanswered);
  });
  return new Set(tokens.map(({ item_id }) => item_id));
}

interface Found {
  connections: Connection[];
  instruments: { id: string; enabled: boolean; fingerprint: string }[];
  identities: number;
  items: { exchanged: boolean; removed: boolean }[];
  events: MerchantEvent[];
}

function checkScenario(
  { end, made, identities = 1, orGone = false, itemsMayStay = false }: Scenario,
  found: Found,
): Pick<Verdict, 'lost' | 'double'> {
  const lost: string[] = [];
  const double: string[] = [];
  const isOfThis = ({ id }: MerchantEvent) => found.connections.some((connection) => connection.id === id);
  const history = found.events
    .filter(isOfThis)
    .sort(byTime)
    .map(({ status }) => status);
  const left = found.connections.filter(({ status }) => status !== 'removed');
  if (end.length === 0 && left.length > 0) lost.push(`is ${statuses(left)}, not gone`);
  if (end.length > 0 && left.length === 0 && !orGone)
    lost.push(`has no connection, not one that is ${end.join(' or ')}`);
  if (end.length > 0 && !left.every(({ status }) => end.includes(status))) {
    lost.push(`is ${statuses(left)}, not ${end.join(' or ')} (was ${history.join(', ')})`);
  }
  const enabled = found.instruments.filter((instrument) => instrument.enabled);
  // One that is to be repaired may keep its instrument.
  const inCare = left.flatMap(({ status, payment_instrument }) =>
    (status === 'active' || status === 'needs_repair') && payment_instrument ? [payment_instrument] : [],
  );
  for (const { id } of enabled) if (!inCare.includes(id)) lost.push(`${id} is enabled and in no connection's care`);
  for (const { status, payment_instrument: id } of left) {
    if (status === 'active' && !enabled.some((one) => one.id === id))
      lost.push(`is active with ${id}, which is disabled`);
  }
  const accounts = new Set(enabled.map(({ fingerprint }) => fingerprint)).size;
  if (enabled.length > accounts) double.push(`${enabled.length} enabled instruments for ${accounts} bank account`);
  if (found.identities > identities) double.push(`${found.identities} identities`);
  if (made !== undefined && found.instruments.length > made)
    double.push(`${found.instruments.length} instruments were made`);
  const isOver = !left.some(({ status }) => status !== 'failed');
  if (isOver && !itemsMayStay && found.items.some(({ exchanged, removed }) => exchanged && !removed))
    lost.push('an Item was left at Plaid');
  for (const { id, status } of found.connections) {
    const last = found.events
      .filter((event) => event.id === id)
      .sort(byTime)
      .at(-1);
    if (last?.status !== status) lost.push(`the merchant's latest event is ${last?.status}, not ${status}`);
  }
  return { lost, double };
}

function statuses(connections: Connection[]): string {
  return connections.map(({ status }) => status).join(' and ');
}

function byTime(a: MerchantEvent, b: MerchantEvent): number {
  return a.updated_at < b.updated_at ? -1 : 1;
}
