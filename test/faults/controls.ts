import {
  BinaryOperationNode,
  ColumnNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type RawNode,
  ReferenceNode,
  sql,
} from 'kysely';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import type { Storage } from '../../server/storage/open.ts';

/**
 * Servers with one protection removed. The suite must detect every control, or it proves nothing about the complete
 * server. `no clock check` is none to detect: a worker that is late after its intent is written sends no create call,
 * and on a busy machine the write alone makes it late. Without that check the fence must suffice.
 */
export const CONTROLS = [
  'naive retry',
  'no fence',
  'no clock check',
  'no quiet period',
  'synchronous off',
  'no lists',
  'no disabling',
  'no reads of the login',
  'two exchanges',
  'no returns',
  'no reports',
] as const;
export type Control = (typeof CONTROLS)[number];

/** Sends a create call again when its answer was lost, and never reads Finix's list: what most integrations do. */
export function naiveRetry({ plaid, finix }: Clients): Clients {
  return {
    plaid,
    finix: {
      ...finix,
      listBankAccounts: async () => [],
      async createPaymentInstrument(request) {
        for (let attempts = 0; ; attempts++) {
          try {
            return await finix.createPaymentInstrument(request);
          } catch (error) {
            if (!(error instanceof UpstreamError) || error.failure !== 'lost' || attempts === 3) throw error;
          }
        }
      },
    },
  };
}

/** Never finds what a create call in doubt has made. */
export function noLists({ plaid, finix }: Clients): Clients {
  return { plaid, finix: { ...finix, listBankAccounts: async () => [], listIdentities: async () => [] } };
}

/** Believes that an instrument is disabled without asking Finix for it. */
export function noDisabling({ plaid, finix }: Clients): Clients {
  return { plaid, finix: { ...finix, disablePaymentInstrument: async (id) => finix.getPaymentInstrument(id) } };
}

/** Believes that every login is good without asking Plaid. */
export function noLoginReads({ plaid, finix }: Clients): Clients {
  return { plaid: { ...plaid, getItemError: async () => null }, finix };
}

/** Believes that Signal has learned of a debit and its return without a report. */
export function noReports({ plaid, finix }: Clients): Clients {
  return { plaid: { ...plaid, reportDecision: async () => {}, reportReturn: async () => {} }, finix };
}

/** Takes the token for consumed after two lost answers, although Plaid has not refused it. */
export function twoExchanges({ plaid, finix }: Clients): Clients {
  const lost = new Map<string, number>();
  return {
    finix,
    plaid: {
      ...plaid,
      async exchangePublicToken(publicToken) {
        try {
          return await plaid.exchangePublicToken(publicToken);
        } catch (error) {
          if (!(error instanceof UpstreamError) || error.failure !== 'lost') throw error;
          const times = (lost.get(publicToken) ?? 0) + 1;
          lost.set(publicToken, times);
          if (times < 2) throw error;
          throw new UpstreamError(error.service, error.call, 'refused', 'INVALID_PUBLIC_TOKEN');
        }
      },
    },
  };
}

/**
 * Lets a worker write after its lease was stolen: `where version = …` becomes true for every row, also in the SQL that
 * updateRow puts together.
 */
export function noFence(storage: Storage): Storage {
  return {
    ...storage,
    transaction: (scope, fn) => storage.transaction(scope, (trx) => fn(trx.withPlugin(anyVersion) as typeof trx)),
  };
}

const COMPARES_VERSION = /(?<=( where | and ))"version" = $/;

class AnyVersion extends OperationNodeTransformer {
  protected override transformRaw(node: RawNode): RawNode {
    const raw = super.transformRaw(node);
    // The value that follows is one of a version, and none is negative.
    return { ...raw, sqlFragments: raw.sqlFragments.map((text) => text.replace(COMPARES_VERSION, '0 <= ')) };
  }

  protected override transformBinaryOperation(node: BinaryOperationNode): BinaryOperationNode {
    const left = node.leftOperand;
    const isVersion = ReferenceNode.is(left) && ColumnNode.is(left.column) && left.column.column.name === 'version';
    return super.transformBinaryOperation(isVersion ? BinaryOperationNode.create(left, node.operator, left) : node);
  }
}

const transformer = new AnyVersion();
const anyVersion: KyselyPlugin = {
  transformQuery: ({ node, queryId }) => transformer.transformNode(node, queryId),
  transformResult: async ({ result }) => result,
};

/** Acknowledges commits that are still in memory. */
export async function synchronousOff(storage: Storage): Promise<void> {
  await sql`PRAGMA synchronous = OFF`.execute(storage.db);
}
