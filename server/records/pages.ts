import { ProblemError } from '../errors.ts';

/** One page of a list, as the API gives it. */
export interface Page<View> {
  object: 'list';
  data: View[];
  has_more: boolean;
  next_cursor: string | null;
}

/** @param rows one more than `limit` if there are more, from a query with `limit(limit + 1)` */
export function toPage<Row, View>(
  rows: Row[],
  limit: number,
  view: (row: Row) => View,
  cursorOf: (row: Row) => string,
): Page<View> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return {
    object: 'list',
    data: page.map(view),
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? cursorOf(last) : null,
  };
}

/** The cursor of a list that is ordered by time, then by id. */
export function timeCursor(at: number, id: string): string {
  return `${at}_${id}`;
}

/** @param prefix of the ids, such as `aud` @throws ProblemError `invalid_request` for what no page has given */
export function readTimeCursor(cursor: string | undefined, prefix: string): { at: number; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const [, at, id] = new RegExp(`^(\\d{1,15})_(${prefix}_\\w+)$`).exec(cursor) ?? [];
  if (at === undefined || id === undefined) throw invalidCursor();
  return { at: Number(at), id };
}

/**
 * The cursor of a list that is ordered by id: the last one of the page before.
 * @throws ProblemError `invalid_request` for what no page has given
 */
export function readIdCursor(cursor: string | undefined, prefix: 'con' | 'ses' | 'lnk'): string | undefined {
  if (cursor !== undefined && !new RegExp(`^${prefix}_\\w+$`).test(cursor)) throw invalidCursor();
  return cursor;
}

/** A list that began again at its first page would have no end for a program that reads all of it. */
function invalidCursor(): ProblemError {
  const errors = [{ path: 'cursor', message: 'must be next_cursor of a page of this list' }];
  return new ProblemError('invalid_request', { errors });
}
