import type { Context } from '../context.ts';
import type { FinixResource, Listed } from '../state.ts';
import { invalidField } from './errors.ts';

/** How a query parameter picks resources. */
export type Filter = (resource: FinixResource, value: string) => boolean;

const PAGING = ['limit', 'after_cursor', 'before_cursor', 'tags.key', 'tags.value'];
// Finix: at most 100; the default is the simulator's choice, small, so that callers that forget the cursor are found
// out.
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/**
 * One page, newest first. The cursor is the id of the last one seen. Unknown parameters are refused, so that typos are
 * found.
 */
export function page(
  context: Context,
  name: 'identities' | 'payment_instruments' | 'transfers',
  all: Iterable<Listed<FinixResource>>,
  query: Record<string, string>,
  filters: Record<string, Filter>,
  self: string,
): Record<string, unknown> {
  for (const key of Object.keys(query)) {
    if (!(key in filters) && !PAGING.includes(key)) throw invalidField(key, `${key} is not a known query parameter`);
  }
  const limit = readLimit(query['limit']);
  const now = context.now();
  const found = [...all]
    .filter(({ listed_from }) => listed_from <= now)
    .map(({ resource }) => resource)
    .filter((resource) =>
      Object.entries(filters).every(([key, keep]) => query[key] === undefined || keep(resource, query[key])),
    )
    .filter((resource) => hasTag(resource, query))
    .reverse();

  let from = 0;
  if (query['after_cursor']) from = position(found, query['after_cursor'], 'after_cursor') + 1;
  if (query['before_cursor']) from = Math.max(0, position(found, query['before_cursor'], 'before_cursor') - limit);
  const shown = found.slice(from, from + limit);
  const isLast = from + limit >= found.length;
  return {
    _embedded: { [name]: shown },
    _links: { self: { href: self } },
    page: { limit, next_cursor: isLast ? null : (shown.at(-1)?.id ?? null) },
  };
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidField('limit', `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

function position(found: FinixResource[], cursor: string, field: string): number {
  const index = found.findIndex(({ id }) => id === cursor);
  if (index < 0) throw invalidField(field, `${field} is not a known cursor`);
  return index;
}

function hasTag({ tags }: FinixResource, query: Record<string, string>): boolean {
  const key = query['tags.key'];
  const value = query['tags.value'];
  if (key !== undefined && value !== undefined) return tags[key] === value;
  if (key !== undefined) return key in tags;
  return value === undefined || Object.values(tags).includes(value);
}

/** Filters that both lists have. */
export const TIME_FILTERS: Record<string, Filter> = {
  'created_at.gte': ({ created_at }, value) => Date.parse(created_at) >= readTime('created_at.gte', value),
  'created_at.lte': ({ created_at }, value) => Date.parse(created_at) <= readTime('created_at.lte', value),
};

function readTime(field: string, value: string): number {
  const time = Date.parse(value);
  if (Number.isNaN(time)) throw invalidField(field, `${field} must be an ISO 8601 time`);
  return time;
}
