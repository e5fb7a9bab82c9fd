import type { Context } from '../context.ts';
import type { OwnerScores } from '../scenario.ts';
import type { SimulatedAccount, SimulatedItem } from '../state.ts';
import { chosenAccounts, readableItem, requireConsent, requireEnabled } from './items.ts';
import { read } from './read.ts';
import { identityMatch } from './schemas.ts';
import { accountShape, itemShape, ownerShape } from './shapes.ts';

type Answer = Record<string, unknown>;

interface Person {
  legal_name?: string | null;
  phone_number?: string | null;
  email_address?: string | null;
  address?: { street?: string | null; city?: string | null; postal_code?: string | null } | null;
}

/**
 * `/identity/match`: how well the given person fits the owner. What is not given, or what the bank does not have, is
 * null.
 */
export function matchIdentity(context: Context, json: unknown): Answer {
  const { access_token, user, options } = read(identityMatch, json);
  const item = readableItem(context, access_token);
  requireEnabled(context, 'identity');
  requireConsent(item, 'identity');
  const person = user ?? {};
  return {
    accounts: chosenAccounts(item, options?.account_ids).map((account) => matchAccount(item, account, person)),
    item: itemShape(item),
  };
}

function matchAccount(item: SimulatedItem, account: SimulatedAccount, person: Person): Answer {
  const { otherOwners, ownerScores } = item.scenario;
  const owner = item.owner.name;
  const shown = onlyGiven(otherOwners?.[account.mask] ?? ownerScores ?? compare(person, item), person);
  const isKnown = shown.legal_name !== null;
  return {
    ...accountShape(item, account),
    // Plaid gives no balance here.
    balances: {
      available: null,
      current: null,
      limit: null,
      iso_currency_code: null,
      unofficial_currency_code: null,
    },
    legal_name: {
      score: shown.legal_name,
      is_first_name_or_last_name_match: isKnown ? sharesAName(person.legal_name ?? '', owner) : null,
      is_nickname_match: isKnown ? false : null,
      is_business_name_detected: isKnown ? isBusiness(person.legal_name) || isBusiness(owner) : null,
    },
    phone_number: { score: shown.phone_number },
    email_address: { score: shown.email_address },
    address: { score: shown.address, is_postal_code_match: shown.address === null ? null : shown.address >= 90 },
  };
}

function onlyGiven(scores: OwnerScores, person: Person): OwnerScores {
  const given = (field: keyof OwnerScores) => (person[field] ? scores[field] : null);
  return {
    legal_name: given('legal_name'),
    email_address: given('email_address'),
    phone_number: given('phone_number'),
    address: given('address'),
  };
}

function compare(person: Person, item: SimulatedItem): OwnerScores {
  const { emails, phone_numbers, addresses } = ownerShape(item);
  const email = emails.some(({ data }) => data === person.email_address?.toLowerCase());
  const phone = phone_numbers.some(({ data }) => data === digits(person.phone_number ?? ''));
  const address = addresses.some(({ data }) => data.postal_code === person.address?.postal_code);
  return {
    legal_name: scoreOfName(person.legal_name ?? '', item.owner.name),
    email_address: email ? 100 : 0,
    phone_number: phone ? 100 : 0,
    address: address ? 100 : 20,
  };
}

/**
 * Coarser than Plaid's own method, with its bands: equal, equal but for a middle name, a typing error, one name in
 * common, nothing.
 */
function scoreOfName(given: string, owner: string): number {
  const [a, b] = [words(given), words(owner)];
  if (a.join(' ') === b.join(' ')) return 100;
  const ends = (names: string[]) => [names[0], names.at(-1)];
  const [first, last] = ends(a);
  const [ownFirst, ownLast] = ends(b);
  if (first === ownFirst && last === ownLast) return 99;
  if (last === ownLast && isNear(first ?? '', ownFirst ?? '')) return 91;
  return sharesAName(given, owner) ? 58 : 18;
}

function sharesAName(given: string, owner: string): boolean {
  const [a, b] = [words(given), words(owner)];
  return a[0] === b[0] || a.at(-1) === b.at(-1);
}

/** One letter more, less or other. */
function isNear(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let start = 0;
  while (start < short.length && short[start] === long[start]) start++;
  const rest = long.slice(start + 1);
  return rest === short.slice(start) || rest === short.slice(start + 1);
}

const words = (name: string): string[] =>
  name
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter(Boolean);
const digits = (phone: string): string => phone.replace(/\D/g, '').slice(-10);
const isBusiness = (name: string | null | undefined): boolean =>
  /\b(LLC|INC|LTD|DBA|COMPANY|BUSINESS)\b/i.test(name ?? '');
