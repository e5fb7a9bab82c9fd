import { UpstreamError } from '../clients/outbound.ts';
import type { Config } from '../config.ts';
import { newId } from '../ids.ts';
import { withoutNames } from '../records/inbound-facts.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { InboundEventTable } from '../storage/tables.ts';
import { claimRow } from '../work/claim-row.ts';
import { startHeartbeat } from '../work/heartbeat.ts';
import { BUDGET_MS, backoff, countedWait, isWait } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';
import type { WebhookDeps } from './change-connections.ts';
import { dueEvents, dueStops, isDue, REVOCATIONS } from './due-events.ts';
import { handleFinixWebhook } from './finix-handlers.ts';
import { createForeignTransfers } from './foreign-transfers.ts';
import { createOwnInstruments } from './own-instruments.ts';
import { handlePlaidWebhook } from './plaid-handlers.ts';
import { mayBeOwn } from './transfer-handlers.ts';
import { bodyHash, readFinixWebhook, verifyFinixSignature } from './verify-finix.ts';
import { createPlaidVerifier, type PlaidVerifier, readPlaidWebhook } from './verify-plaid.ts';

/**
 * Webhooks that come in: verified, stored once, answered, then handled, at once if there is capacity and else by a job.
 * A webhook may come more than once and in any order; handle-webhook.ts decides by what is true, not by what came
 * before. Of those about the same Item or instrument one at a time is handled, on all instances: a worker that asks
 * Plaid or Finix for the state writes it before another asks, so that an older answer never comes after a newer one.
 */
export interface Inbound {
  /** Resolves once it is stored. See PlaidVerifier. @throws ProblemError when it is not Plaid's */
  receivePlaid(...webhook: Parameters<PlaidVerifier['verify']>): Promise<void>;
  /**
   * Resolves once it is stored; an empty body is Finix's test of the address and is nothing to store.
   * @returns `foreign`: about transfers of the merchant's other customers, of which nothing is kept
   * @throws ProblemError
   */
  receiveFinix(body: Uint8Array, signature: string | undefined): Promise<'received' | 'foreign'>;
  /** Handles what is due. @returns whether there may be more */
  runDue(limit: number): Promise<boolean>;
  /** As `runDue`, only what stops debits. */
  runDueStops(limit: number): Promise<boolean>;
  /** Lets what is being handled end. */
  stop(): Promise<void>;
}

export interface InboundDeps extends WebhookDeps {
  config: Config;
  timing: Timing;
}

/** Events about the status of a login. */
const STATES = new Set([
  'ITEM/ERROR',
  'ITEM/LOGIN_REPAIRED',
  'ITEM/USER_PERMISSION_REVOKED',
  'ITEM/USER_ACCOUNT_REVOKED',
  'AUTH/PRODUCT_PERMISSIONS_REQUIRED',
]);
/**
 * Handled right after their answer at the same time; the rest is left to jobs, so that a flood does not fill the
 * memory.
 */
const AT_ONCE = 8;
/** Of those that stop debits, in addition: they wait for none of the others, whose handlers may wait for a provider. */
const STOPS_AT_ONCE = 64;
/**
 * After each of these nothing is to be learned from it any more. Plaid repeats for 24 hours, Finix shows events for 30
 * days.
 */
export const EVENT_KEEP_MS = 30 * 24 * 3600_000;

export function createInbound(deps: InboundDeps): Inbound {
  const { storage, secrets, config, log, timing } = deps;
  const verifier = createPlaidVerifier(deps);
  const foreign = createForeignTransfers();
  const ownInstruments = createOwnInstruments(storage);
  const running = new Set<Promise<void>>();
  const runningStops = new Set<Promise<void>>();
  let stopped = false;

  async function store(
    event: Pick<InboundEventTable, 'source' | 'dedupe_key' | 'body_hash' | 'type' | 'subject'> & { facts: object },
    publicToken: string | null,
    isStop: boolean,
  ): Promise<void> {
    const now = await storage.now();
    const id = newId('evt');
    const where = { table: 'inbound_events', row: id, column: 'public_token_enc' };
    const stored = await storage.db
      .insertInto('inbound_events')
      .values({
        ...event,
        id,
        facts: JSON.stringify(event.facts),
        public_token_enc: publicToken === null ? null : secrets.seal(publicToken, where),
        status: 'received',
        tries: 0,
        waited_ms: 0,
        next_at: now,
        lease_until: 0,
        received_at: now,
        handled_at: null,
      })
      .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
      .returning('id')
      .executeTakeFirst();
    log.info({ source: event.source, type: event.type, event: id, again: !stored }, 'webhook received');
    if (stored && !stopped) {
      if (isStop && runningStops.size < STOPS_AT_ONCE) soon(id, event.subject, runningStops);
      else if (running.size < AT_ONCE) soon(id, event.subject);
    }
    if (!stored && STATES.has(event.type)) await handleAgain(event.dedupe_key, now);
  }

  /**
   * Plaid's events about a login carry neither time nor id: of two breaks within a second, with a repair between them,
   * the second looks like a copy of the first. What was handled is handled once more then, by the login's status at
   * Plaid by now. A worker that is handling it may have asked Plaid before: it loses its lease.
   */
  async function handleAgain(dedupeKey: string, now: number): Promise<void> {
    await storage.db
      .updateTable('inbound_events')
      .set({ status: 'received', tries: 0, waited_ms: 0, next_at: now, lease_until: 0 })
      .where('dedupe_key', '=', dedupeKey)
      .where((eb) => eb.or([eb('status', 'in', ['handled', 'ignored']), eb('lease_until', '>', now)]))
      .execute();
  }

  function soon(id: string, subject: string | null, among = running): void {
    const work: Promise<void> = run(id, subject)
      .catch((error: unknown) => log.warn({ event: id, err: error }, 'webhook deferred'))
      .finally(() => among.delete(work));
    among.add(work);
  }

  async function take(id: string, subject: string | null): Promise<InboundEventTable | undefined> {
    const now = await storage.now();
    // A transaction, so that two instances can't take two of the same subject at the same moment.
    return storage.transaction(`webhook:${subject ?? id}`, (trx) =>
      trx
        .updateTable('inbound_events as event')
        .set((eb) => ({ lease_until: now + timing.inboundLeaseMs, tries: eb('tries', '+', 1) }))
        .where('event.id', '=', id)
        .where((eb) => isDue(eb, now))
        .returningAll()
        .executeTakeFirst(),
    );
  }

  async function run(id: string, subject: string | null): Promise<void> {
    const event = await take(id, subject);
    if (!event) return;
    try {
      await handle(event);
    } finally {
      await nextOf(event.subject);
    }
  }

  /** Events that had to wait for this one go on at once. */
  async function nextOf(subject: string | null): Promise<void> {
    if (subject === null || stopped) return;
    const next = await storage.db
      .selectFrom('inbound_events')
      .select('id')
      .where('subject', '=', subject)
      .where('status', '=', 'received')
      .where('next_at', '<=', await storage.now())
      .orderBy('next_at')
      .executeTakeFirst();
    if (next) soon(next.id, subject);
  }

  async function handle(event: InboundEventTable): Promise<void> {
    const endHeartbeat = startHeartbeat(timing.inboundLeaseMs, () => renewLease(event));
    try {
      const outcome = await (event.source === 'plaid'
        ? handlePlaidWebhook(deps, event)
        : handleFinixWebhook({ ...deps, foreign, ownInstruments }, event)
      ).finally(endHeartbeat);
      await finish(event, outcome);
    } catch (error) {
      if (error instanceof StorageUnavailableError) throw error;
      await again(event, error);
    }
  }

  /** The lease names the worker's hold on the event, so it is renewed in both places. */
  async function renewLease(event: InboundEventTable): Promise<void> {
    const { id, lease_until } = event;
    const until = (await storage.now()) + timing.inboundLeaseMs;
    const isHeld = await claimRow(storage, 'inbound_events', { id, lease_until }, { lease_until: until });
    if (isHeld) event.lease_until = until;
  }

  /** Only by the worker that still has it: another may be processing it after this process was frozen. */
  async function put(event: InboundEventTable, patch: Partial<InboundEventTable>): Promise<void> {
    const { id, lease_until } = event;
    await claimRow(storage, 'inbound_events', { id, lease_until }, { ...patch, lease_until: 0 });
  }

  async function finish(event: InboundEventTable, status: 'handled' | 'ignored' | 'failed'): Promise<void> {
    // A merchant's tags name its customers: once the event is handled, they are of no use here.
    const facts = withoutNames(event.facts);
    const changed = facts === event.facts ? {} : { facts };
    // The first time stays, as does that of a change which counts from its own transaction: handled once more after a
    // repair, the event is still one of before it.
    const handled_at = event.handled_at ?? (await storage.now());
    await put(event, { status, handled_at, public_token_enc: null, ...changed });
  }

  async function again(event: InboundEventTable, error: unknown): Promise<void> {
    const { id, type, tries } = event;
    const now = await storage.now();
    if (error instanceof UpstreamError) {
      const { service, call, failure, code, details } = error;
      log.warn({ event: id, type, service, call, failure, code, ...details }, 'upstream call failed');
    } else if (!isWait(error)) {
      log.error({ event: id, type, err: error }, 'webhook handler failed');
    }
    const waited_ms = event.waited_ms + countedWait(event.next_at, now);
    if (waited_ms > BUDGET_MS) {
      log.error({ event: id, type }, 'webhook abandoned');
      return finish(event, 'failed');
    }
    const delay = isWait(error) ? error.delayMs : undefined;
    const wait = Math.ceil(delay ?? backoff(tries - 1, timing));
    await put(event, { waited_ms: waited_ms + wait, next_at: now + wait });
  }

  async function runAll(find: typeof dueEvents, limit: number): Promise<boolean> {
    const now = await storage.now();
    const due = await find(storage.db, now).select(['event.id', 'event.subject']).limit(limit).execute();
    await Promise.all(due.map(({ id, subject }) => run(id, subject)));
    return due.length === limit;
  }

  return {
    async receivePlaid(...webhook) {
      const { body, issuedAt, bodyHash } = await verifier.verify(...webhook);
      const { type, facts, publicToken } = readPlaidWebhook(body);
      // Plaid gives its webhooks no id. The same body may be sent for a new event, so the time of signing is part of
      // the key.
      const dedupe_key = `plaid:${bodyHash}:${issuedAt}`;
      // One that brings a login is for a session, and the session's own lease keeps order there.
      const subject = publicToken === null ? (facts.item_id ?? null) : null;
      const event = { source: 'plaid', dedupe_key, body_hash: bodyHash, type, subject, facts } as const;
      await store(event, publicToken, REVOCATIONS.includes(type));
    },
    async receiveFinix(body, signature) {
      if (body.length === 0) return 'received';
      verifyFinixSignature(body, signature, config.finix.webhookSecrets, await storage.now());
      const { type, key, instruments, transfers } = readFinixWebhook(body);
      const found = await ownInstruments.find(transfers.map(({ sides }) => sides));
      // About the merchant's other customers nothing is kept, and no more is read.
      const own = transfers.flatMap((reported, at) => {
        const instrument = found[at];
        const mayBe = instrument !== undefined || reported.sides.parent !== null;
        const transfer = mayBe ? reported.read() : undefined;
        if (transfer && (instrument !== undefined || mayBeOwn(transfer))) return [{ instrument, transfer }];
        foreign.note(reported.sides);
        return [];
      });
      if (transfers.length > 0 && own.length === 0) return 'foreign';
      const event = { source: 'finix', body_hash: bodyHash(body), type } as const;
      for (const { instrument, transfer } of own) {
        if (instrument === undefined && foreign.has(transfer)) continue;
        const dedupe_key = `finix:${key}:${transfer.id}`;
        const subject = instrument ?? transfer.parent;
        await store({ ...event, dedupe_key, subject, facts: { instrument, transfer } }, null, instrument !== undefined);
      }
      if (type.startsWith('transfer/')) return 'received';
      const [only, ...others] = instruments;
      if (only === undefined || others.length === 0) {
        const subject = only ?? null;
        await store({ ...event, dedupe_key: `finix:${key}`, subject, facts: { instrument: only } }, null, false);
        return 'received';
      }
      // Each is handled by itself. One that can't be stored fails the whole, which then comes again.
      for (const instrument of new Set(instruments)) {
        const dedupe_key = `finix:${key}:${instrument}`;
        await store({ ...event, dedupe_key, subject: instrument, facts: { instrument } }, null, false);
      }
      return 'received';
    },
    runDue: (limit) => runAll(dueEvents, limit),
    runDueStops: (limit) => runAll(dueStops, limit),
    async stop() {
      stopped = true;
      await Promise.allSettled([...running, ...runningStops]);
    },
  };
}
