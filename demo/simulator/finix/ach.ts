import type { AchNetwork, Context, ReturnOptions } from '../context.ts';
import { iso } from '../ids.ts';
import type { FinixResource } from '../state.ts';
import { quietTimer } from '../timer.ts';
import type { Base } from './identities.ts';
import { newTransfer, reversalOf } from './transfers.ts';

/** What Finix calls a return, as far as it is published; the other codes have no published name. */
const FAILURE_CODES: Record<string, string> = {
  R01: 'INSUFFICIENT_FUNDS',
  R02: 'BANK_ACCOUNT_CLOSED',
  R03: 'NO_BANK_ACCOUNT_FOUND',
  R04: 'INVALID_BANK_ACCOUNT_NUMBER',
  R08: 'PAYMENT_STOPPED',
  R13: 'INVALID_ROUTING_NUMBER',
  R16: 'BANK_ACCOUNT_FROZEN',
  R20: 'NON_TRANSACTION_ACCOUNT',
  R28: 'INVALID_ROUTING_NUMBER',
  R29: 'TRANSACTION_NOT_PERMITTED',
};
/** Finix's own amounts of its sandbox, in cents. */
const DECLINED = 102;
const CANCELED = 103;
const INSUFFICIENT_FUNDS = 193;
/** $99.01 to $99.85 come back with the return code of the cents. */
const RETURNED_FROM = 9_901;
const RETURNED_TO = 9_985;

export function returnCodeOf(amount: number): string | undefined {
  if (amount === INSUFFICIENT_FUNDS) return 'R01';
  if (amount < RETURNED_FROM || amount > RETURNED_TO) return undefined;
  return `R${String(amount - RETURNED_FROM + 1).padStart(2, '0')}`;
}

/** The network behind Finix: a bank's response to a debit, at once, days or weeks later. */
export function createAch(context: () => Context): AchNetwork {
  function find(id: string): FinixResource {
    const found = context().state.transfers.get(id);
    if (!found) throw new Error(`The simulator has no transfer ${id}.`);
    return found.resource;
  }

  function change(transfer: FinixResource, fields: Record<string, unknown>): void {
    Object.assign(transfer, fields, { updated_at: iso(context().now()) });
    context().webhooks.finix('transfer', 'updated', transfer);
  }

  function base(transfer: FinixResource): Base {
    const { self } = transfer['_links'] as { self: { href: string } };
    return { url: new URL('..', self.href).href.replace(/\/$/, ''), application: String(transfer['application']) };
  }

  const network: AchNetwork = {
    begin(transfer) {
      const { closing, settings } = context();
      const timer = quietTimer(() => {
        if (transfer['state'] !== 'PENDING') return;
        const amount = Number(transfer['amount']);
        const code = returnCodeOf(amount);
        if (code) network.returnDebit(transfer.id, code);
        else if (amount === CANCELED) change(transfer, { state: 'CANCELED' });
        else if (amount === DECLINED) network.fail(transfer.id, 'GENERIC_DECLINE');
        else network.succeed(transfer.id);
      }, settings.laterMs);
      closing.addEventListener('abort', () => clearTimeout(timer), { once: true });
    },
    succeed(id) {
      change(find(id), { state: 'SUCCEEDED', ready_to_settle_at: iso(context().now()) });
    },
    fail(id, failureCode, message = `The debit failed: ${failureCode}`) {
      change(find(id), { state: 'FAILED', failure_code: failureCode, failure_message: message, messages: [message] });
    },
    returnDebit(id, code, options = {}) {
      const transfer = find(id);
      // Not settled yet: the debit itself fails. Settled: Finix makes another Transfer that takes the money back.
      const form = options.form ?? (transfer['state'] === 'PENDING' ? 'failed' : 'reversal');
      const message = options.codeIn === 'nowhere' ? 'Returned by the bank' : `Returned by the bank: ${code}`;
      const tags = { ...transfer.tags, ...options.tags };
      const failure = {
        failure_code: options.failureCode ?? FAILURE_CODES[code] ?? 'GENERIC_DECLINE',
        failure_message: message,
      };
      if (form === 'reversal') {
        change(transfer, failure);
        return newTransfer(context(), base(transfer), {
          ...reversalOf(transfer),
          subtype: 'SYSTEM',
          ...codeIn(options.codeIn ?? 'tags', code, message, tags),
        });
      }
      const state = form === 'failed' ? 'FAILED' : 'RETURNED';
      const place = options.codeIn ?? (form === 'failed' ? 'messages' : 'details');
      change(transfer, { ...failure, ...codeIn(place, code, message, tags), state });
      return transfer;
    },
  };
  return network;
}

/** The place of the R code; which of them Finix uses is not published. */
function codeIn(
  place: NonNullable<ReturnOptions['codeIn']>,
  code: string,
  message: string,
  tags: Record<string, string>,
): Record<string, unknown> {
  switch (place) {
    case 'tags':
      return { tags: { ...tags, return_code: code, failure_message: message } };
    case 'messages':
      return { messages: [`ReasonCode: ${code}`, `ReasonDescription: ${message}`] };
    case 'raw':
      return { raw: { 'Reason Code': code, 'Reason Message': message } };
    case 'details':
      return { bank_return_details: { return_code: code, description: message } };
    case 'nowhere':
      return { tags };
  }
}
