import type { LinkMode } from '../contract.ts';
import { lost } from '../errors.ts';
import type { LinkControlPort, LinkRequest, LinkSource } from '../flow/detours.ts';
import { EmbeddedSearch } from './embedded-search.ts';

/** Link from a search in the page, on a page of Plaid's own, or in a window in front of what covers this page. */
export async function obtainLink(
  control: LinkControlPort,
  { mode, agreed, isAside }: LinkRequest,
): Promise<LinkSource> {
  const obtain = (asked: LinkMode) => control.obtain(asked, agreed?.authorization);
  if (mode === 'embedded') control.search ??= new EmbeddedSearch(control.flow, control.place);
  const own = mode === 'embedded' && !control.search?.place() ? 'button' : mode;
  const aside = isAside ? await obtain('hosted').catch(lost) : null;
  return aside?.token.hosted_link_url ? aside : obtain(agreed?.hosted ? 'hosted' : own);
}
