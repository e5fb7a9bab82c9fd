import { errorStatusOf, errorTypeOf } from '../demo/simulator/plaid/error-types.ts';
import { listPlaidCodes, type PlaidMeaning } from '../server/clients/plaid-codes.ts';
import { listRemedies } from '../server/clients/plaid-remedies.ts';
import { fromLinkError } from '../widget/detour/link-errors.ts';
import { en } from '../widget/i18n/index.ts';
import { captionKey, messageKey } from '../widget/i18n/messages.ts';

export const ERRORS_FILE = 'docs/errors.md';

/** What the server does with a code that it meets in a call for a customer. */
const SERVER: Record<PlaidMeaning, string> = {
  restart: '`restart_required`: the customer runs Link again',
  account_not_supported: '`account_not_supported`',
  bank_not_supported: '`bank_not_supported`',
  verification_failed: '`verification_failed`',
  bank_down: '`bank_unavailable`: the bank is kept, the same public token works later',
  pending: 'kept and tried again; at the processor token the connection is `pending_verification`',
  busy: 'kept and tried again',
  misconfigured: '`provider_misconfigured`; a bank that is connected already is kept and tried again',
  unexpected: 'kept and tried again, with an error in the log',
};

/** Never in Link's `onExit`: these products have no part in it. */
const NOT_USED: ReadonlySet<string> = new Set([
  'ASSET_REPORT_ERROR',
  'BANK_TRANSFER_ERROR',
  'CHECK_REPORT_ERROR',
  'CONSUMER_REPORT_ERROR',
  'INCOME_VERIFICATION_ERROR',
  'PARTNER_ERROR',
  'PAYMENT_ERROR',
  'SANDBOX_ERROR',
  'SIGNAL_ERROR',
  'TRANSACTIONS_ERROR',
  'TRANSACTION_ERROR',
  'TRANSFER_ERROR',
]);

/** The page about error codes with its tables as the code has them now; a test compares them. */
export function printErrors(current: string): string {
  return [
    ['remedies', remedies()],
    ['codes', codes()],
  ].reduce((page, [name = '', table = '']) => between(page, name, table), current);
}

function remedies(): string {
  const rows = listRemedies().map(({ code, call, remedy }) => [
    `\`${code}\`${call === null ? '' : ` at \`/${call}\``}`,
    remedy,
  ]);
  return table(['code', 'what to do'], rows);
}

function codes(): string {
  const used = listPlaidCodes().filter(([code]) => !NOT_USED.has(errorTypeOf(code) ?? ''));
  const rows = used
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, meaning]) => {
      const error = fromLinkError({ error_code: code });
      const shown = `${en[messageKey(error)]} [${en[captionKey(error)]}]`;
      return [`\`${code}\``, `${errorTypeOf(code)}, ${errorStatusOf(code)}`, SERVER[meaning], shown];
    });
  return table(
    ['code', 'type, HTTP status', 'in a call of the server', 'when Link reports it, the element shows'],
    rows,
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function between(page: string, name: string, content: string): string {
  const begin = `<!-- ${name}: printed by \`npm run errors\` -->`;
  const end = `<!-- /${name} -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The markers of ${name} are missing in ${ERRORS_FILE}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
