import {
  BinaryOperationNode,
  ColumnNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  ReferenceNode,
  sql,
} from 'kysely';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import type { Storage } from '../../server/storage/open.ts';

/**
 * Servers with one protection removed. The suite must detect every control, or it proves nothing about the complete server.
 * `no fence` also lacks the clock check, which is a second protection: a worker that is late after its intent is written sends no create
 * call, and on a busy machine the write alone makes it late. With `no clock check`, the fence is the only protection and must suffice.
 */
export const CONTROLS = ['naive retry', 'no fence', 'no clock check', 'no quiet period', 'synchronous off'] as const;
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

/** Lets a worker write after its lease was stolen: `where version = …` becomes true for every row. */
export function noFence(storage: Storage): Storage {
  return {
    ...storage,
    transaction: (scope, fn) => storage.transaction(scope, (trx) => fn(trx.withPlugin(anyVersion) as typeof trx)),
  };
}

class AnyVersion extends OperationNodeTransformer {
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
