import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';

/** Logos of banks, for the card that shows a connected account. */
export interface InstitutionLogos {
  /** @returns null where there is no logo to show now; never throws for a reason of Plaid's */
  find(institutionId: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

/**
 * Of most merchants these banks have nearly all customers; at 100 kB each they are 20 MB at worst, and 2 MB as a rule.
 */
const MOST_KEPT = 200;
/** A bank that changes its logo may wait for a day. */
const KEPT_MS = 24 * 3600_000;
/** Plaid may be down, or may know the logo later. */
const MISSING_MS = 10 * 60_000;
/** Ten times the size of the largest that Plaid returns for the banks of its Sandbox. */
const MOST_BYTES = 100_000;

interface Entry {
  logo: Promise<Uint8Array<ArrayBuffer> | null>;
  until: number;
}

/** Asks Plaid once for each bank, and keeps what it answered in memory: a logo belongs to no customer. */
export function createInstitutionLogos(
  plaid: Pick<PlaidClient, 'getInstitutionLogo'>,
  now: () => number = Date.now,
): InstitutionLogos {
  // In the order of their last use.
  const kept = new Map<string, Entry>();

  async function ask(institutionId: string): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      return toPng(await plaid.getInstitutionLogo(institutionId));
    } catch (error) {
      // The client has logged it, and a bank without a picture is no reason for an error.
      if (error instanceof UpstreamError) return null;
      throw error;
    }
  }

  function start(institutionId: string): Entry {
    const entry: Entry = { logo: ask(institutionId), until: now() + KEPT_MS };
    const shorten = () => {
      entry.until = now() + MISSING_MS;
    };
    entry.logo.then((logo) => logo === null && shorten(), shorten);
    return entry;
  }

  return {
    find(institutionId) {
      const found = kept.get(institutionId);
      const entry = found && now() < found.until ? found : start(institutionId);
      kept.delete(institutionId);
      kept.set(institutionId, entry);
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
      return entry.logo;
    },
  };
}

/** PNG's signature, and the header that every PNG begins with. */
const SIGNATURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

/** What is no PNG, or is too large to be a logo, is no logo. */
function toPng(base64: string | null): Uint8Array<ArrayBuffer> | null {
  if (base64 === null || base64.length > (MOST_BYTES * 4) / 3) return null;
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length)) ? bytes : null;
}
