import { z } from 'zod';
import type { Simulator } from '../simulator.ts';

/** Why an event can't happen: a sentence for the caller. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

const text = z.string().min(1);
/** Neither names the login that was connected last. */
const login = { item_id: text.optional(), payment_instrument: text.optional() };
const transfer = { transfer: text };
const on = <E extends string, S extends z.ZodRawShape>(event: E, shape: S) =>
  z.strictObject({ event: z.literal(event), ...shape });

/** What can happen after a bank was connected, and what each needs to know. */
export const eventSchema = z.discriminatedUnion('event', [
  on('verified', login),
  on('verification_expired', login),
  on('login_broken', login),
  on('login_repaired', login),
  on('permission_revoked', login),
  on('account_revoked', { ...login, account_id: text.optional() }),
  on('account_opened', login),
  on('numbers_withheld', login),
  on('numbers_changed', login),
  on('disconnect_announced', login),
  on('instruments_disabled', login),
  on('debit_succeeded', transfer),
  on('debit_failed', { ...transfer, failure_code: text.default('GENERIC_DECLINE') }),
  on('debit_returned', {
    ...transfer,
    code: z.string().regex(/^R\d\d$/, 'must be a return code such as R01'),
    form: z.enum(['failed', 'reversal', 'returned']).optional(),
  }),
]);

export type SimulatedEvent = z.infer<typeof eventSchema>;

export const EVENT_NAMES = eventSchema.options.map(({ shape }) => shape.event.value);

/**
 * Makes it happen, with its webhooks, which are on their way when this returns.
 * @throws EventRefused when there is no such login or transfer
 */
export function makeHappen(simulator: Simulator, event: SimulatedEvent): { item_id: string } | { transfer: string } {
  if ('transfer' in event) {
    const { ach, ledger } = simulator;
    if (!ledger.transfers().some(({ id }) => id === event.transfer)) {
      throw new EventRefused(`There is no transfer ${event.transfer}.`);
    }
    if (event.event === 'debit_succeeded') ach.succeed(event.transfer);
    else if (event.event === 'debit_failed') ach.fail(event.transfer, event.failure_code);
    else ach.returnDebit(event.transfer, event.code, event.form ? { form: event.form } : {});
    return { transfer: event.transfer };
  }
  const { item_id, account_ids } = findLogin(simulator, event);
  const { bank } = simulator;
  switch (event.event) {
    case 'verified':
      bank.verify(item_id, 'automatically_verified');
      break;
    case 'verification_expired':
      bank.verify(item_id, 'verification_expired');
      break;
    case 'login_broken':
      bank.breakLogin(item_id);
      break;
    case 'login_repaired':
      bank.repairLogin(item_id);
      break;
    case 'permission_revoked':
      bank.revokePermission(item_id);
      break;
    case 'account_revoked': {
      const account = event.account_id ?? account_ids[0];
      if (account === undefined || !account_ids.includes(account)) {
        throw new EventRefused(`The Item ${item_id} has no account ${account ?? ''}.`);
      }
      bank.revokeAccount(item_id, account);
      break;
    }
    case 'account_opened':
      bank.openAccount(item_id);
      break;
    case 'numbers_withheld':
      bank.withholdNumbers(item_id);
      break;
    case 'numbers_changed':
      bank.renumber(item_id);
      break;
    case 'disconnect_announced':
      bank.announceDisconnect(item_id);
      break;
    case 'instruments_disabled':
      bank.disableInstruments(item_id);
      break;
  }
  return { item_id };
}

function findLogin(
  { ledger }: Simulator,
  { item_id, payment_instrument }: { item_id?: string | undefined; payment_instrument?: string | undefined },
) {
  const items = ledger.items().filter(({ exchanged, removed }) => exchanged && !removed);
  const wanted = payment_instrument === undefined ? item_id : itemOf(ledger, payment_instrument);
  const found = wanted === undefined ? items.at(-1) : items.find((item) => item.item_id === wanted);
  if (found) return found;
  throw new EventRefused(wanted === undefined ? 'No bank is connected.' : `There is no connected Item ${wanted}.`);
}

function itemOf(ledger: Simulator['ledger'], instrument: string): string {
  const token = ledger.instruments().find(({ id }) => id === instrument)?.['third_party_token'];
  const made = ledger.processorPermissions().find(({ processor_token }) => processor_token === token);
  if (!made) throw new EventRefused(`There is no payment instrument ${instrument}.`);
  return made.item_id;
}
