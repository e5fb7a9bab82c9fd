import { anyTagCode, namedTagCode } from '../clients/finix-return-codes.ts';
import type { FinixTransfer } from '../clients/finix-transfers.ts';
import { UpstreamError } from '../clients/outbound.ts';
import { returnCodeOf } from '../lifecycle/return-codes.ts';
import {
  isSystemReversal,
  namesReturnOfParent,
  type ReturnFacts,
  recordTransfer,
  returnIn,
  type TransferFacts,
} from '../lifecycle/returns.ts';
import type { Initiator } from '../records/audit.ts';
import { lockConnection } from '../records/connections.ts';
import type { Storage } from '../storage/open.ts';
import type { InboundEventTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import { type Outcome, refuseOvertaken, type WebhookDeps } from './change-connections.ts';
import type { ForeignTransfers } from './foreign-transfers.ts';
import type { OwnInstruments } from './own-instruments.ts';

/**
 * Which instrument Finix names on a reversal is not published: its debit's instrument is asked for. Refunds by the
 * merchant mean nothing here.
 */
export function mayBeOwn(transfer: FinixTransfer): boolean {
  return transfer.parent !== null && (isSystemReversal(transfer) || namesReturnOfParent(transfer));
}

export interface TransferDeps extends WebhookDeps {
  foreign: ForeignTransfers;
  ownInstruments: OwnInstruments;
}

/**
 * A debit or a payout has been made, has ended or has come back. A return is final: every report of one is believed,
 * and nothing that comes later takes it back.
 */
export async function handleTransfer(
  deps: TransferDeps,
  event: InboundEventTable,
  transfer: FinixTransfer,
  instrument: string | undefined,
): Promise<Outcome> {
  const read = transfer.type === 'REVERSAL' || namesReturnOfParent(transfer) ? reversed : direct;
  const known = await read(deps, event, transfer, instrument);
  if (!known) return 'ignored';
  const { storage, tasks } = deps;
  const owner = await storage.db
    .selectFrom('connection_instruments')
    .innerJoin('connections', 'connections.id', 'connection_instruments.connection_id')
    .select(['connections.id', 'connections.customer_id'])
    .where('connection_instruments.payment_instrument', '=', known.instrument)
    .executeTakeFirst();
  if (!owner) return 'ignored';
  const now = await storage.now();
  const by: Initiator = { actor: 'finix', details: { webhook: event.type } };
  // Also while a session is processing the login: stopping a debit never waits.
  const changed = await storage.transaction(`customer:${owner.customer_id}`, async (trx) => {
    await refuseOvertaken(trx, event, now);
    const before = await lockConnection(trx, owner.id);
    const { outbox, config } = deps;
    return before ? recordTransfer(trx, { outbox, returns: config.returns }, before, known, now, by) : [];
  });
  await Promise.all(changed.filter(({ goal }) => goal !== null).map(({ id }) => tasks.run(id)));
  return 'handled';
}

/**
 * A debit or a payout itself. Where it does not name the return code, what takes it back may. Of other types, such as a
 * fee or a settlement, only the return is of interest: the bank states the same about the account.
 */
async function direct(
  deps: TransferDeps,
  event: InboundEventTable,
  transfer: FinixTransfer,
  instrument: string | undefined,
): Promise<TransferFacts | undefined> {
  if (instrument === undefined) return undefined;
  const own = returnIn(transfer, event.received_at);
  if (!own && transfer.type !== 'DEBIT' && transfer.type !== 'CREDIT') return undefined;
  if (!own || own.code !== null) return { transfer, instrument, returned: own };
  const reversals = await readIfPossible(deps, transfer.id, () => deps.finix.listReversals(transfer.id));
  const reversal = reversals?.find(isSystemReversal);
  const by = reversal && returnBy(reversal, event.received_at);
  const code = by?.code ?? (reversal && tagCodeOf(reversal, transfer)) ?? namedTagCode(transfer);
  return { transfer, instrument, returned: { ...own, ...by, failureCode: own.failureCode, code } };
}

/** What Finix has made of a returned debit. The debit names its connection, and may name the reason. */
async function reversed(
  deps: TransferDeps,
  event: InboundEventTable,
  reversal: FinixTransfer,
  side: string | undefined,
): Promise<TransferFacts | undefined> {
  const { parent } = reversal;
  if (!mayBeOwn(reversal) || parent === null) return undefined;
  const named = side ?? (await instrumentOfKnown(deps.storage, parent));
  if (named === undefined) {
    if (deps.foreign.has(reversal)) return undefined;
    const delayMs = deps.foreign.take();
    // Spread, and ever longer: of many that wait, few at a time may come back.
    const spread = Math.random() * Math.max(LIMITED_MS, event.waited_ms);
    if (delayMs > 0) throw new NotNow('limited', delayMs + spread);
  }
  const by = returnBy(reversal, event.received_at);
  const isOther = namesReturnOfParent(reversal);
  // The amount of a fee is not its debit's.
  const stub = { ...reversal, id: parent, type: '', state: '', createdAt: null, ...(isOther ? { amount: null } : {}) };
  // Nothing more is needed to stop the debits.
  if (named !== undefined && by.code !== null) return { transfer: stub, instrument: named, returned: by };
  // Without the debit a tag of the merchant's could be taken for the code, where Finix has not named one for it.
  const isNeeded = isOther || named === undefined || (reversal.tagCodes.length > 0 && namedTagCode(reversal) === null);
  const debit = await readIfPossible(deps, parent, () => deps.finix.getTransfer(parent), isNeeded);
  const [found] = debit ? await deps.ownInstruments.find([debit]) : [];
  const instrument = found ?? named;
  if (instrument === undefined) {
    if (debit) deps.foreign.note(debit);
    return undefined;
  }
  const own = debit && returnIn(debit, event.received_at);
  const said = by.code ?? namedTagCode(reversal, debit);
  // A tag that the debit has as well is the merchant's, and means no return.
  if (isOther && said === null && !own) return undefined;
  const code = said ?? own?.code ?? anyTagCode(reversal, debit) ?? (debit ? namedTagCode(debit) : null);
  const failureCode = own?.failureCode ?? by.failureCode;
  return { transfer: debit ?? stub, instrument, returned: { ...by, code, failureCode } };
}

/** Of a debit or a payout that was reported before. */
async function instrumentOfKnown({ db }: Storage, transfer: string): Promise<string | undefined> {
  const known = await db
    .selectFrom('transfers')
    .select('payment_instrument')
    .where('id', '=', transfer)
    .executeTakeFirst();
  return known?.payment_instrument;
}

/** Some hundred that wait are asked about in this time. */
const LIMITED_MS = 60_000;

function returnBy(reversal: FinixTransfer, receivedAt: number): ReturnFacts {
  const { id, returnCode, failureCode, createdAt } = reversal;
  const code = returnCode ?? returnCodeOf(failureCode);
  return { transfer: id, code, failureCode, at: createdAt ?? receivedAt };
}

/** Of what Finix makes to take a debit back: in a tag that is named for it, or in any that is not the debit's. */
function tagCodeOf(reversal: FinixTransfer, debit: FinixTransfer): string | null {
  return namedTagCode(reversal, debit) ?? anyTagCode(reversal, debit);
}

/**
 * More about a return, which is recorded without it where Finix doesn't return it.
 * @param isNeeded nothing can be done without
 */
async function readIfPossible<T>(
  { log }: WebhookDeps,
  transfer: string,
  read: () => Promise<T>,
  isNeeded = false,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (isNeeded && error.failure !== 'refused') throw error;
    log.warn({ transfer, code: error.code }, 'a returned transfer could not be read at Finix');
    return undefined;
  }
}
