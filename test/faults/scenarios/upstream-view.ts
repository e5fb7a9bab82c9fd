import {
  type FinixResource,
  type Ledger,
  type LedgerItem,
  SIMULATOR_CREDENTIALS,
  type SimulatedCall,
  type Simulator,
} from '../../../demo/simulator/index.ts';

/**
 * A copy of the upstream state is good for this long: many customers look at it at the same time, and each copy costs a
 * millisecond.
 */
const FRESH_MS = 20;
/** As FRESH_MS, for the record of calls, which is longer. */
const CALLS_FRESH_MS = 50;

/** What Plaid and Finix hold, by customer. */
export class UpstreamView {
  #copied = Number.NEGATIVE_INFINITY;
  #instruments = new Map<string, { id: string; enabled: boolean; fingerprint: string }[]>();
  #identities = new Map<string, string>();
  #calls: { at: number; all: SimulatedCall[] } = { at: Number.NEGATIVE_INFINITY, all: [] };
  /** Items whose webhooks are delivered at once. */
  readonly #prompt = new Set<string>();

  constructor(readonly simulator: Simulator) {}

  get #ledger(): Ledger {
    return this.simulator.ledger;
  }

  /** The Item of a public token. */
  itemOf(publicToken: string): string {
    const found = this.#ledger.publicTokens().find(({ public_token }) => public_token === publicToken);
    if (!found) throw new Error('the simulator does not know the public token');
    return found.item_id;
  }

  itemsOf(itemIds: readonly string[]): LedgerItem[] {
    return this.#ledger.items().filter(({ item_id }) => itemIds.includes(item_id));
  }

  accountsOf(itemId: string): string[] {
    return this.itemsOf([itemId]).flatMap(({ account_ids }) => account_ids);
  }

  /** How often Plaid was asked about an Item on this path. */
  callsAbout(itemId: string, path: string): number {
    if (performance.now() - this.#calls.at > CALLS_FRESH_MS) {
      this.#calls = { at: performance.now(), all: this.#ledger.calls() };
    }
    const token = this.itemsOf([itemId])[0]?.access_token;
    const isAbout = ({ body }: SimulatedCall) =>
      (body as { access_token?: unknown } | undefined)?.access_token === token;
    return this.#calls.all.filter((call) => call.path === path && isAbout(call)).length;
  }

  /** Whether the Item's access token has reached a server: it was used. */
  isInUse(itemId: string): boolean {
    const token = this.itemsOf([itemId])[0]?.access_token;
    return this.#ledger
      .calls()
      .some(({ body }) => (body as { access_token?: unknown } | undefined)?.access_token === token);
  }

  /** From now on both copies of the Item's webhooks are delivered at once. */
  deliverAtOnce(itemId: string): void {
    this.#prompt.add(itemId);
  }

  isDeliveredAtOnce(webhookBody: string): boolean {
    return [...this.#prompt].some((itemId) => webhookBody.includes(itemId));
  }

  /** What Signal knows of a debit; undefined: it has evaluated none of this id. */
  signalKnows(id: string): ReturnType<Ledger['signalTransactions']>[number] | undefined {
    return this.#ledger.signalTransactions().find(({ client_transaction_id }) => client_transaction_id === id);
  }

  /** The instruments that Finix has ever made for a customer, oldest first. */
  instrumentsOf(email: string): { id: string; enabled: boolean; fingerprint: string }[] {
    this.#refresh();
    return this.#instruments.get(email) ?? [];
  }

  /** How many identities of a customer Finix has. */
  identitiesOf(email: string): number {
    this.#refresh();
    return [...this.#identities.values()].filter((one) => one === email).length;
  }

  #refresh(): void {
    if (performance.now() - this.#copied < FRESH_MS) return;
    this.#identities = new Map(this.#ledger.identities().map((identity) => [identity.id, emailOf(identity)]));
    this.#instruments = new Map();
    for (const { id, identity, enabled, fingerprint } of this.#ledger.instruments()) {
      const email = this.#identities.get(String(identity)) ?? '';
      const own = this.#instruments.get(email) ?? [];
      own.push({ id, enabled: enabled === true, fingerprint: String(fingerprint) });
      this.#instruments.set(email, own);
    }
    this.#copied = performance.now();
  }

  /** As Finix's dashboard does. */
  async setEnabled(finixUrl: string, instrument: string, enabled: boolean): Promise<void> {
    const response = await atFinix('PUT', `${finixUrl}/payment_instruments/${instrument}`, { enabled });
    if (!response.ok) throw new Error(`Finix answered ${response.status}`);
  }

  /** As a merchant's server does. @returns no id where Finix refuses */
  async debit(finixUrl: string, source: string, more: object = {}): Promise<{ id?: string }> {
    const body = { amount: 5_000, currency: 'USD', merchant: 'MU1', source, ...more };
    const response = await atFinix('POST', `${finixUrl}/transfers`, body);
    return response.ok ? ((await response.json()) as { id: string }) : {};
  }
}

function emailOf({ entity }: FinixResource): string {
  return String((entity as { email?: unknown }).email);
}

function atFinix(method: string, url: string, body: object): Promise<Response> {
  const { username, password } = SIMULATOR_CREDENTIALS.finix;
  return fetch(url, {
    method,
    headers: {
      Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'Finix-Version': '2022-02-01',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  });
}
