import type { Config } from '../config.ts';
import { readDeliveryBody } from '../records/columns.ts';
import { linkUrl } from '../records/link-address.ts';
import { shownLinkStatus } from '../records/views.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import { USABLE_LINK } from '../storage/statuses.ts';
import type { DeliveryTable } from '../storage/tables.ts';

interface RepairLinkDeps {
  config: Pick<Config, 'publicUrl'>;
  storage: Storage;
  secrets: Secrets;
}

/**
 * The body as it is sent: with the address of the repair link that goes with it. The address is a credential, so it is
 * derived for each attempt and never stored; a link that is over by then is left out, and the merchant makes another.
 */
export async function withRepairLink(
  { config, storage, secrets }: RepairLinkDeps,
  { type, body, link_id }: DeliveryTable,
  now: number,
): Promise<string> {
  if (type !== 'connection.needs_repair' || link_id === null) return body;
  const { repair_link, ...event } = readDeliveryBody(body);
  const link = await storage.db.selectFrom('links').selectAll().where('id', '=', link_id).executeTakeFirst();
  const isUsable =
    link && USABLE_LINK.includes(shownLinkStatus(link, now)) && secrets.keyIds.includes(link.secret_key_id);
  if (!isUsable || typeof repair_link !== 'object') return JSON.stringify(event);
  return JSON.stringify({ ...event, repair_link: { ...repair_link, url: linkUrl(config, secrets, link) } });
}
