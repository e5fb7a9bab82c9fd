/**
 * A bank that can be found in Link. The first eight are those of Plaid's Sandbox, with Plaid's ids; the rest are
 * invented.
 */
export interface SimulatedInstitution {
  institution_id: string;
  name: string;
  url: string;
  /** Background of the monogram in Link; dark enough for white text (4.5:1). */
  color: string;
  routing_number: string;
  /** The customer signs in at the bank's own page, in another window. */
  oauth: boolean;
  /** The account numbers are tokens of the bank, as at Chase, PNC and US Bank. */
  tokenizedNumbers: boolean;
  health: 'healthy' | 'degraded' | 'down';
  /** Plaid has none of many small banks. */
  hasLogo: boolean;
}

function bank(
  institution_id: string,
  name: string,
  color: string,
  routing_number: string,
  more: Partial<SimulatedInstitution> = {},
): SimulatedInstitution {
  const host = name.toLowerCase().replace(/[^a-z]+/g, '');
  return {
    institution_id,
    name,
    url: `https://${host}.example`,
    color,
    routing_number,
    oauth: false,
    tokenizedNumbers: false,
    health: 'healthy',
    hasLogo: true,
    ...more,
  };
}

// The routing numbers pass the ABA checksum, because Finix and its clients may check it.
export const INSTITUTIONS: readonly SimulatedInstitution[] = [
  bank('ins_109508', 'First Platypus Bank', '#1d4f8c', '011401533'),
  bank('ins_109509', 'First Gingham Credit Union', '#8c3a1d', '021000021'),
  bank('ins_109510', 'Tattersall Federal Credit Union', '#1f6b4f', '122105278'),
  bank('ins_109511', 'Tartan Bank', '#9a2436', '121000358'),
  bank('ins_109512', 'Houndstooth Bank', '#3d3d46', '021000021'),
  bank('ins_127287', 'Platypus OAuth Bank', '#0f6674', '110000000', { oauth: true, tokenizedNumbers: true }),
  bank('ins_132363', 'Unhealthy Platypus Bank - Degraded', '#86610a', '011401533', { health: 'degraded' }),
  bank('ins_132361', 'Unhealthy Platypus Bank - Down', '#6e4b4b', '011401533', { health: 'down' }),
  bank('ins_900001', 'Harbor & Finch Savings', '#31557f', '122105278'),
  bank('ins_900002', 'Cedar Mill Community Bank', '#4a6b2a', '121000358', { hasLogo: false }),
  bank('ins_900003', 'Northlight Trust', '#4b3f8f', '011401533'),
  bank('ins_900004', 'Juniper Street Credit Union', '#7d3572', '122105278'),
  bank('ins_900005', 'Saltwater National Bank', '#0b5f8a', '021000021'),
  bank('ins_900006', 'Quarry Lane Bank', '#5b5348', '121000358'),
  bank('ins_900007', 'Orchard Valley Mutual', '#a0461f', '011401533'),
];

export function findInstitution(id: string): SimulatedInstitution | undefined {
  return INSTITUTIONS.find((institution) => institution.institution_id === id);
}
