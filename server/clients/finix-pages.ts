import { z } from 'zod';
import { UpstreamError } from './outbound.ts';

/**
 * How the pages of Finix's lists follow one another. Deciding from half of a list could make something a second time.
 */

const text = z.string().nullish().catch(null);
const page = z.object({ next_cursor: z.string().nullish() }).nullish();
const links = z
  .object({ next: z.object({ href: text }).nullish().catch(null) })
  .nullish()
  .catch(null);

export const pageMembers = { page, _links: links };

interface Paged {
  page?: z.infer<typeof page>;
  _links?: z.infer<typeof links>;
}

/**
 * Whether a cursor that comes a second time is the end of its list: it is after an empty page. After any other, the
 * list goes on where no cursor leads.
 * @throws UpstreamError
 */
export function isEnd(rows: readonly unknown[], next: string, cursor: string | undefined): boolean {
  if (next === cursor && rows.length > 0) throw new UpstreamError('finix', 'list', 'lost', 'UNREADABLE_ANSWER');
  return next === cursor;
}

/** Where a page does not state whether another follows, its link does: half a list must not pass for all of it. */
export function cursorAfter({ page, _links }: Paged): string | null {
  if (page?.next_cursor !== undefined) return page.next_cursor;
  const query = _links?.next?.href?.split('?')[1] ?? '';
  return new URLSearchParams(query).get('after_cursor');
}
