/** Chase, PNC and US Bank give out numbers of their own for each access, and new ones with a new access. */
export const RENUMBERING_BANKS: ReadonlySet<string> = new Set(['ins_56', 'ins_13', 'ins_127990']);

/** Chase (two ids), Schwab, PNC, Navy Federal. */
const ENDING_BANKS: ReadonlySet<string> = new Set(['ins_3', 'ins_56', 'ins_11', 'ins_13', 'ins_15']);
/** Plaid has several ids for large banks, not all of which are known here. */
const ENDING_NAMES = /\b(chase|pnc|navy federal|schwab|u\.?s\.? bank)\b/i;

/**
 * Whether a new sign-in at the bank can have ended the one before, so that only the new one is sure to work
 * (plaid.com/docs/link/duplicate-items).
 */
export function mayEndOlderLogin(institutionId: string | null, name: string | null): boolean {
  const id = institutionId ?? '';
  return ENDING_BANKS.has(id) || RENUMBERING_BANKS.has(id) || ENDING_NAMES.test(name ?? '');
}
