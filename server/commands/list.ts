import { Argument, InvalidArgumentError } from 'commander';
import { CONNECTION_STATUSES, DELIVERY_STATUSES, LINK_STATUSES, SESSION_STATUSES } from '../storage/statuses.ts';
import { type AddCommand, wholeNumber } from './command.ts';
import { merchantApi, type Row, withServerOption } from './merchant-api.ts';
import { cell, formatTable } from './table.ts';

interface Kind {
  path: string;
  statuses: readonly string[];
  columns: Readonly<Record<string, (row: Row) => unknown>>;
}

/** Sums up the connections of a session or a link. */
const connections = (row: Row) =>
  Array.isArray(row['connections']) ? row['connections'].map(({ id }: { id: string }) => id).join(' ') : undefined;
const nested = (name: string, field: string) => (row: Row) => (row[name] as Row | null | undefined)?.[field];
const field = (name: string) => (row: Row) => row[name];

const KINDS: Readonly<Record<string, Kind>> = {
  sessions: {
    path: '/v1/sessions',
    statuses: SESSION_STATUSES,
    columns: {
      id: field('id'),
      status: field('status'),
      customer: field('customer_id'),
      connections,
      error: nested('error', 'code'),
      created: field('created_at'),
    },
  },
  connections: {
    path: '/v1/connections',
    statuses: CONNECTION_STATUSES,
    columns: {
      id: field('id'),
      status: field('status'),
      customer: field('customer_id'),
      bank: nested('institution', 'name'),
      account: nested('account', 'mask'),
      instrument: field('payment_instrument'),
      updated: field('updated_at'),
    },
  },
  links: {
    path: '/v1/links',
    statuses: LINK_STATUSES,
    columns: {
      id: field('id'),
      status: field('status'),
      customer: field('customer_id'),
      connections,
      expires: field('expires_at'),
    },
  },
  webhooks: {
    path: '/v1/webhook-deliveries',
    statuses: DELIVERY_STATUSES,
    columns: {
      id: field('id'),
      status: field('status'),
      type: field('type'),
      about: (row) => row['connection'] ?? row['link'] ?? row['session'],
      attempts: field('attempts'),
      error: field('last_error'),
      created: field('created_at'),
    },
  },
};

/** As many as a screen or two hold; --all is for the rest. */
const DEFAULT_LIMIT = 50;

interface Options {
  url?: string;
  status?: string;
  customer?: string;
  merchant?: string;
  limit: number;
  all?: boolean;
  json?: boolean;
}

export const addList: AddCommand = (program, context) => {
  const command = program
    .command('list')
    .addArgument(new Argument('[what]', 'what to list').choices(Object.keys(KINDS)).default('sessions'))
    .summary('list sessions, connections, links or webhooks, by status')
    .description('Lists what the running server has, in the order of its API: by id, not by time.')
    .option('--status <status>', 'only with this status; a session that is stuck is processing')
    .option('--customer <id>', 'only of this customer')
    .option('--merchant <id>', 'only of this merchant of a platform')
    .option('--limit <number>', 'at most this many', readCount, DEFAULT_LIMIT)
    .option('--all', 'all of them')
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      `\nStatuses:\n${Object.entries(KINDS)
        .map(([name, { statuses }]) => `  ${name}: ${statuses.join(', ')}`)
        .join('\n')}`,
    );
  withServerOption(command).action(async (what: string, options: Options) => {
    const { path, columns, statuses } = KINDS[what] as Kind;
    const { status, limit, all, json } = options;
    if (status !== undefined && !statuses.includes(status)) {
      command.error(`error: ${what} have one of these statuses: ${statuses.join(', ')}.`);
    }
    const query = { status, customer_id: options.customer, merchant_id: options.merchant };
    const most = all ? Number.POSITIVE_INFINITY : limit;
    const rows: Row[] = [];
    for await (const row of merchantApi(context, options.url).list(path, query, most)) {
      // A program reads them as they come; a table needs all of them for its widths.
      if (json) context.write(`${JSON.stringify(row)}\n`);
      else rows.push(row);
    }
    if (json) return;
    if (rows.length === 0) context.note('Nothing found.\n');
    else {
      const cells = rows.map((row) => Object.values(columns).map((read) => cell(read(row))));
      context.write(formatTable(Object.keys(columns), cells));
    }
    if (rows.length === most) context.note(`The first ${most}; --all lists all.\n`);
  });
};

function readCount(text: string): number {
  const count = wholeNumber(text);
  if (!(count >= 1)) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return count;
}
