import type { Context } from '../context.ts';
import { plaidToken } from '../ids.ts';
import type { SimulatedProcessorToken } from '../state.ts';
import { plaidRefusal } from './errors.ts';
import { findAccount, findItem } from './items.ts';
import { read } from './read.ts';
import { permissionsGet, permissionsSet, processorToken } from './schemas.ts';

type Answer = Record<string, unknown>;

export function createProcessorToken(context: Context, json: unknown): Answer {
  const { access_token, account_id, processor } = read(processorToken, json);
  const item = findItem(context, access_token);
  if (processor !== 'finix') {
    throw plaidRefusal(
      'INVALID_PRODUCT',
      'Your integration is using a partner endpoint integration that has not yet been enabled in the Dashboard.',
    );
  }
  const account = findAccount(item, account_id);
  if (account.type !== 'depository') throw plaidRefusal('ITEM_NOT_SUPPORTED');
  const processor_token = plaidToken('processor');
  const made: SimulatedProcessorToken = { processor_token, item_id: item.item_id, account_id, products: [] };
  context.state.processorTokens.set(processor_token, made);
  return { processor_token };
}

/** `/processor/token/permissions/set`: what the partner may read from now on; an empty list: everything. */
export function setPermissions(context: Context, json: unknown): Answer {
  const { processor_token, products } = read(permissionsSet, json);
  findToken(context, processor_token).products = products;
  return {};
}

export function getPermissions(context: Context, json: unknown): Answer {
  const { processor_token } = read(permissionsGet, json);
  return { products: findToken(context, processor_token).products };
}

function findToken(context: Context, token: string): SimulatedProcessorToken {
  const found = context.state.processorTokens.get(token);
  const item = found && context.state.items.get(found.item_id);
  if (!found || !item || item.removed) throw plaidRefusal('INVALID_PROCESSOR_TOKEN');
  return found;
}
