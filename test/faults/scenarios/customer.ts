import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bank, FaultRule, Simulator } from '../../../demo/simulator/index.ts';
import type { Check, Connection, ConnectionStatus, Session } from '../../../widget/contract.ts';
import { MERCHANT_KEY } from '../../helpers/server.ts';
import {
  type CustomerOptions,
  complete,
  connectBank,
  createSession,
  customerId,
  type Login,
  ONE_ACCOUNT,
  type Outcome,
  openSession,
  readConnections,
} from '../customer.ts';
import type { Moment } from '../moment.ts';
import type { Random } from '../random.ts';
import { asMerchant, request, type Where } from '../requests.ts';
import type { UpstreamView } from './upstream-view.ts';

type Ach = Simulator['ach'];

/** What a customer of a scenario lives in. */
export interface World {
  upstream: UpstreamView;
  plaidUrl: string;
  finixUrl: string;
  /** Where Plaid sends webhooks. */
  webhook: string;
  url: Where;
  random: Random;
  patienceMs: number;
  /** Lets work on a session be over its budget. */
  exhaustBudget(sessionId: string): Promise<void>;
  /** What the case waits for, or does, at these points in time. */
  moments: Readonly<Record<string, Moment>>;
  /** How long a condition of a scenario may take. Milliseconds. */
  conditionMs: number;
}

const LOOK_MS = 25;

/** A customer, the merchant and the bank in one: all that can happen to the customer's connection. */
export class ScenarioCustomer {
  /** What went wrong on the way, in words. */
  readonly problems: string[] = [];
  outcome: Outcome | undefined;
  /** The public tokens after which the server asked for another Link run. */
  readonly restartedTokens = new Set<string>();
  /** Of the latest session. */
  get sessionId(): string | undefined {
    return this.#session?.id;
  }

  #session: Session | undefined;
  #token: string | undefined;
  readonly #held: (() => void)[] = [];
  readonly #reached = new Set<string>();
  /** Of each Link, latest last. */
  readonly itemIds: string[] = [];

  constructor(
    readonly world: World,
    readonly number: number,
    readonly email: string,
  ) {}

  /** A random time up to `ms`. */
  pause(ms: number): Promise<void> {
    return sleep(this.world.random.between(0, ms));
  }

  /**
   * Connects the bank and waits for the outcome. On a busy machine the exchange's own answer can be lost: then the
   * customer runs Link again, and the troubles and `maxRuns` begin with that run.
   * @param troubles strike this customer only: Plaid's and the instrument's by the Item, the identity's by the email
   */
  async connect(
    troubles: readonly FaultRule[] = [],
    more: Pick<CustomerOptions, 'session' | 'existing' | 'maxRuns'> & { login?: Partial<Login> } = {},
  ): Promise<Outcome> {
    const { upstream, plaidUrl, url, random, webhook, patienceMs } = this.world;
    const isAboutIdentity = ({ path }: FaultRule) => path === '/identities';
    for (const rule of troubles.filter(isAboutIdentity)) this.#held.push(this.fault({ ...rule, about: this.email }));
    const counts = (itemId: string) => upstream.isInUse(itemId);
    const before = this.itemIds.length;
    this.outcome = await connectBank({
      email: this.email,
      kind: 'connects',
      url,
      plaidUrl,
      random,
      login: { username: ONE_ACCOUNT, webhook, ...more.login },
      patienceMs,
      session: more.session,
      existing: more.existing,
      maxRuns: more.maxRuns,
      counts: (token) => counts(upstream.itemOf(token)),
      opened: (session) => {
        this.#session = session;
      },
      linked: (token) => {
        this.#token = token;
        const isFirst = !this.itemIds.slice(before).some(counts);
        this.itemIds.push(upstream.itemOf(token));
        if (isFirst) for (const rule of troubles) if (!isAboutIdentity(rule)) this.#held.push(this.fault(rule));
      },
    });
    for (const { token, restartAsked } of this.outcome.tokens) if (restartAsked) this.restartedTokens.add(token);
    return this.outcome;
  }

  /** Ends the troubles of `connect`. */
  release(): void {
    for (const end of this.#held) end();
  }

  /** The merchant's server asks for a session that the page uses later. */
  async openSession(): Promise<Session> {
    const { url, random, patienceMs } = this.world;
    const session = await createSession({ email: this.email, url, random }, performance.now() + patienceMs);
    if (!session) throw new Error('no session');
    this.#session = session;
    return session;
  }

  /** The page is opened again, as after an outage: it goes on with its session, or begins with another one. */
  async comesBack(): Promise<void> {
    const session = this.#session;
    let status: Session['status'] | undefined;
    await this.until('the session at rest', async () => {
      const answer = await asMerchant(this.world.url, 'GET', `/v1/sessions/${session?.id}`);
      status = answer?.status === 200 ? (answer.body as Session).status : undefined;
      return (answer?.status === 200 && status !== 'processing') || answer?.status === 404;
    });
    if (status === 'completed') return;
    const goesOn = session && (status === 'open' || status === 'restart_required');
    await this.connect([], goesOn ? { existing: { session, token: this.#token } } : {});
  }

  /** Waits until the case lets the customers pass this point in time. */
  async at(name: string): Promise<void> {
    this.#reached.add(name);
    await this.world.moments[name]?.reached();
  }

  /** The customer reaches no other moment: no one waits for them. */
  leave(): void {
    for (const [name, moment] of Object.entries(this.world.moments)) {
      if (!this.#reached.has(name)) void moment.reached();
    }
  }

  /** @param rule about this customer's Item unless it names something else @returns ends it */
  fault(rule: FaultRule): () => void {
    return this.world.upstream.simulator.faults.add({ about: this.itemId, ...rule });
  }

  /** Of the latest Link. */
  get itemId(): string {
    return this.itemIds.at(-1) ?? '';
  }

  /** What the bank does to an Item. */
  get bank(): Bank {
    return this.world.upstream.simulator.bank;
  }

  /** As in Finix's own dashboard. */
  setEnabled(isEnabled: boolean): Promise<void> {
    const [instrument] = this.outcome?.final?.connections.flatMap((one) => one.payment_instrument ?? []) ?? [];
    return this.world.upstream.setEnabled(this.world.finixUrl, instrument ?? '', isEnabled);
  }

  /** The network's part. */
  get ach(): Ach {
    return this.world.upstream.simulator.ach;
  }

  /** The merchant debits the latest connection. @returns Finix's id of the transfer */
  async debit(more: { amount?: number; idempotency_id?: string } = {}): Promise<string> {
    const { id } = await this.world.upstream.debit(this.world.finixUrl, this.instruments.at(-1)?.id ?? '', more);
    if (id === undefined) throw new Error('Finix made no debit');
    return id;
  }

  /** Whether Finix would debit the customer's account now. */
  async canDebit(): Promise<boolean> {
    const { id } = await this.world.upstream.debit(this.world.finixUrl, this.instruments.at(-1)?.id ?? '');
    return id !== undefined;
  }

  /**
   * The merchant checks a debit of the latest connection, and asks again until it has an answer. An error of the server
   * is a problem of its own.
   */
  async check(amount: number, client_transaction_id: string): Promise<Check | undefined> {
    const path = `/v1/connections/${await this.#connectionId()}/check`;
    let check: Check | undefined;
    await this.until(`an answer to the check ${client_transaction_id}`, async () => {
      const answer = await asMerchant(this.world.url, 'POST', path, { amount, client_transaction_id });
      if (answer?.status === 200) check = answer.body as Check;
      else if (answer) this.problems.push(`a check was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer !== undefined;
    });
    return check;
  }

  get instruments(): { id: string; enabled: boolean }[] {
    return this.world.upstream.instrumentsOf(this.email);
  }

  /** Waits for a condition; that it never comes true is a problem of its own. */
  async until(what: string, condition: () => boolean | Promise<boolean>, ms = this.world.conditionMs): Promise<void> {
    const deadline = performance.now() + ms;
    while (!(await condition())) {
      if (performance.now() > deadline) return void this.problems.push(`${what}: not within ${ms / 1000} s`);
      await sleep(LOOK_MS);
    }
  }

  /** Waits until Finix has made so many instruments. */
  made(count: number): Promise<void> {
    return this.until(`instrument ${count} at Finix`, () => this.instruments.length >= count);
  }

  /** Waits until Finix has made another instrument after `change`. */
  makesAnother(change: () => void): Promise<void> {
    const before = this.instruments.length;
    change();
    return this.made(before + 1);
  }

  /** From now on at most `ms` may pass until Finix has no enabled instrument of the customer. */
  stops(ms: number): Promise<void> {
    return this.until('its instruments disabled', () => this.instruments.every(({ enabled }) => !enabled), ms);
  }

  /** The latest connection, as the merchant reads it. */
  async connection(): Promise<Connection | undefined> {
    const connections = await readConnections(this.world.url, this.email);
    return connections?.sort((a, b) => (a.created_at < b.created_at ? 1 : -1))[0];
  }

  /** Asks until a server answers: one may have been killed a moment ago. */
  async #connectionId(): Promise<string> {
    let id = '';
    await this.until('a connection', async () => {
      id = (await this.connection())?.id ?? '';
      return id !== '';
    });
    return id;
  }

  becomes(status: ConnectionStatus, ms?: number): Promise<void> {
    return this.until(`the connection ${status}`, async () => (await this.connection())?.status === status, ms);
  }

  /** As `becomes`, for all connections of the customer: several accounts of one login may end in different ways. */
  allBecome(ends: readonly ConnectionStatus[], ms?: number): Promise<void> {
    return this.until(
      `every connection ${ends.join(' or ')}`,
      async () => {
        const connections = await readConnections(this.world.url, this.email);
        return (
          connections !== undefined &&
          connections.length > 0 &&
          connections.every(({ status }) => ends.includes(status))
        );
      },
      ms,
    );
  }

  /** The session's work has begun and goes on. */
  isProcessing(sessionId?: string): Promise<void> {
    return this.until('the session processing', async () => {
      const answer = await asMerchant(this.world.url, 'GET', `/v1/sessions/${sessionId ?? this.sessionId}`);
      return (answer?.body as Session | undefined)?.status === 'processing';
    });
  }

  /** The merchant removes the connection: asks until it is accepted. */
  async remove(ms?: number): Promise<void> {
    const id = await this.#connectionId();
    await this.until(
      'the removal accepted',
      async () => {
        const answer = await asMerchant(this.world.url, 'DELETE', `/v1/connections/${id}`);
        return answer?.status === 200 || answer?.status === 202;
      },
      ms,
    );
  }

  /** The merchant erases the customer: asks until that is accepted. */
  erase(): Promise<void> {
    const path = `/v1/customers/${encodeURIComponent(customerId(this.email))}`;
    return this.until('the erasure accepted', async () => {
      const answer = await asMerchant(this.world.url, 'DELETE', path);
      return answer?.status === 200 || answer?.status === 202;
    });
  }

  /** The merchant tries to cancel the session once. @returns whether it is canceled */
  async cancel(): Promise<boolean> {
    const answer = await asMerchant(this.world.url, 'POST', `/v1/sessions/${this.sessionId}/cancel`);
    return answer?.status === 200;
  }

  /**
   * The customer signs in again in Link's update mode, and the page completes the repair.
   * @param begun called when the repair's session exists
   * @returns how it ended; undefined: it did not
   */
  async repair({
    newIds = false,
    begun,
  }: {
    newIds?: boolean;
    begun?: (sessionId: string) => void;
  } = {}): Promise<Session | 'restart' | undefined> {
    const { url, random, patienceMs } = this.world;
    const deadline = performance.now() + patienceMs;
    const connection = await this.#connectionId();
    const session = await openSession(this.world, { customer_id: customerId(this.email), connection }, deadline);
    if (!session) return void this.problems.push('no repair session');
    await this.until('a link token', async () => {
      const path = `/v1/sessions/${session.id}/link-token`;
      const answer = await request(url, session.client_secret ?? MERCHANT_KEY, 'POST', path, {});
      return answer?.status === 200;
    });
    this.bank.signInAgain(this.itemId, { newIds });
    begun?.(session.id);
    const token = `public-sandbox-${randomUUID()}`;
    return complete({ url, random }, { lastAnswer: '' }, session, token, deadline);
  }
}
