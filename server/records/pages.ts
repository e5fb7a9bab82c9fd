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

/** @returns undefined for an invalid cursor, so that the list starts at its beginning. @param prefix of the ids, such as `aud` */
export function readTimeCursor(cursor: string | undefined, prefix: string): { at: number; id: string } | undefined {
  const [, at, id] = new RegExp(`^(\\d{1,15})_(${prefix}_\\w+)$`).exec(cursor ?? '') ?? [];
  return at === undefined || id === undefined ? undefined : { at: Number(at), id };
}
