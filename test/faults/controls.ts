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
 * Servers with one protection taken out. The suite must find each of them out, or it proves nothing of the whole one.
 * `no fence` is without the clock check too, which stands behind it: a worker that finds itself late after its intent is written sends no
 * create call, and on a busy machine the writing alone makes it late. With `no clock check` only, the fence stands alone and must do.
 */
export const CONTROLS = ['naive retry', 'no fence', 'no clock check', 'no quiet period', 'synchronous off'] as const;
export type Control = (typeof CONTROLS)[number];

/** Sends a create call again when its answer was lost, and never looks at Finix's list: what most integrations do. */
export function naiveRetry({ plaid, finix }: Clients): Clients {
  return {
    plaid,
    finix: {
      ...finix,
      listBankAccounts: async () => [],
      async createPaymentInstrument(request) {
        for (let tries = 0; ; tries++) {
          try {
            return await finix.createPaymentInstrument(request);
          } catch (error) {
            if (!(error instanceof UpstreamError) || error.failure !== 'lost' || tries === 3) throw error;
          }
        }
      },
    },
  };
}

/** Lets a worker write whose session was taken over: `where version = …` becomes true for every row. */
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

/** Commits that are still in memory when they are acknowledged. */
export async function synchronousOff(storage: Storage): Promise<void> {
  await sql`PRAGMA synchronous = OFF`.execute(storage.db);
}
