import { z } from 'zod';
import { isAddressOrRange, isLocalOrLoopbackHost } from '../hosts.ts';

/**
 * Kinds of settings. Each schema takes the trimmed text; its messages follow the setting's name, as in "PORT must be
 * …".
 */

/** A schema from a check that returns its complaint. */
const checked = (complaintAbout: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = complaintAbout(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

export const text = z.string();

/** Sent in a header: blanks and other characters would be cut off, or make every request fail. */
export const headerText = z.string().regex(/^[\x21-\x7e]+$/, 'must have only visible ASCII characters and no blank');

export const oneOf = <const T extends readonly [string, ...string[]]>(allowed: T) =>
  z.enum(allowed, { error: `must be one of ${allowed.join(', ')}` });

/** As Plaid writes its products. */
export const productName = z.string().regex(/^[a-z_]{1,64}$/, 'must be the name of a Plaid product such as signal');

export const onOff = oneOf(['on', 'off']).transform((value) => value === 'on');

/** Digits only: `3e3` and `0x10` are numbers to JavaScript, and typing errors here. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);

const entries = z.string().transform((text) => text.split(',').flatMap((part) => part.trim() || []));

/** Set for every program of a machine, by more than one hand: an entry may come twice, and there may be none. */
export const hosts = entries;

export const list = <T>(entry: z.ZodType<T, string>) =>
  entries
    .refine((entries) => entries.length > 0, { error: 'holds no entry', abort: true })
    .refine((entries) => new Set(entries).size === entries.length, { error: 'holds an entry twice', abort: true })
    .pipe(z.array(entry));

interface UrlRules {
  protocols: readonly string[];
  query?: 'allowed';
  check?: (url: URL) => string | undefined;
}

/**
 * As it is written: a closing slash matters to a redirect URI that must match a list, and to frameworks that redirect.
 */
export const url = ({ protocols, query, check }: UrlRules) =>
  checked((text) => {
    if (!URL.canParse(text)) return 'is not a URL';
    const parsed = new URL(text);
    if (!protocols.includes(parsed.protocol)) {
      return `must begin with ${protocols.map((p) => `${p}//`).join(' or ')}`;
    }
    if (parsed.username || parsed.password) return 'must have no user name and no password in it';
    // `https://host/?` has an empty query, which URL shows as none.
    if (parsed.hash || text.endsWith('#')) return 'must have no fragment';
    if (query !== 'allowed' && text.includes('?')) return 'must have no query';
    return check?.(parsed);
  });

/** Its user name and password are the proxy's own, so no complaint repeats a part of it. */
export const proxyUrl = checked((text) => {
  if (!URL.canParse(text)) return 'is not a URL such as http://proxy.internal:3128';
  const { protocol, pathname, search } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  return pathname !== '/' || search !== '' ? 'must have no path and no query' : undefined;
});

/** Paths are appended to it, so it comes without a closing slash. */
export const baseUrl = (rules: UrlRules) => url(rules).transform((text) => text.replace(/\/+$/, ''));

export const WEB = ['https:', 'http:'] as const;

export const httpsUnlessLocal = ({ protocol, hostname }: URL): string | undefined =>
  protocol === 'https:' || isLocalOrLoopbackHost(hostname)
    ? undefined
    : 'must use https (http only for localhost and loopback)';

/** Raw in a password, these end it for a URL: the rest would be taken for a port, a database or an option. */
const RESERVED = '#, /, ?, @ and % of a user name or password must be written as %23, %2F, %3F, %40 and %25';

/** PostgreSQL's address. It holds a password, so no complaint repeats a part of it. */
export const databaseUrl = checked((text) => {
  if (!/^postgres(ql)?:\/\//.test(text)) return 'must begin with postgres:// (unset: the embedded database)';
  const [, rest = ''] = text.split('://');
  if (!URL.canParse(text)) return rest.includes('@') ? `is not a URL: ${RESERVED}` : 'is not a URL';
  const { username, password, pathname, hash, search } = new URL(text);
  if (hash !== '' || text.endsWith('#')) return `must have no #: ${RESERVED}`;
  const isCut = username === '' && (pathname.includes('@') || search.includes('@'));
  const isWhole = [username, password, pathname].every(isPercentEncoded);
  return isCut || !isWhole ? `can't be read as it is meant: ${RESERVED}` : undefined;
});

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    // A lone % is taken as it is.
    return /%(?![0-9a-f]{2})/i.test(text);
  }
}

/** Exactly as a browser writes it into the `Origin` header: the header is compared, not parsed. */
export const origin = checked((text) => {
  const complaint = originComplaint(text);
  // With user info in it the entry may hold a password.
  return complaint && `${text.includes('@') ? '' : `${JSON.stringify(text)} `}${complaint}`;
});

function originComplaint(text: string): string | undefined {
  if (text.includes('*')) return 'is refused: name each origin, without wildcards';
  if (!URL.canParse(text) || new URL(text).origin !== text) {
    const exact = URL.canParse(text) ? new URL(text).origin : 'null';
    const suggestion = exact === 'null' ? 'https://shop.example' : exact;
    return `is not an exact origin such as ${suggestion} (lower case, no path, no closing slash)`;
  }
  return httpsUnlessLocal(new URL(text));
}

/** Of an app: a universal link, a package name, or an address with a scheme of the app's own. */
export const nativeApp = checked((text) => {
  if (isPackageName(text)) return undefined;
  if (isAppAddress(text) || isUniversalLink(text)) return undefined;
  return `${JSON.stringify(text)} must be a universal link such as https://shop.example/bank, a package name such as com.example.shop or an address such as com.example.shop://bank`;
});

/** As Android wants it: at least two parts, each beginning with a letter. */
export function isPackageName(text: string): boolean {
  return /^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/.test(text);
}

/** Schemes that a browser or a system gives a meaning of its own. */
const TAKEN_SCHEMES = /^(https?|wss?|ftp|file|data|javascript|blob|about|tel|sms|mailto|intent|content|vbscript):/i;

/** With a scheme of the app's own, and nothing that identifies a customer. */
export function isAppAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[\w./-]*$/i.test(text) && !TAKEN_SCHEMES.test(text);
}

/** Plaid takes a redirect address without a query and a fragment. */
function isUniversalLink(text: string): boolean {
  if (!URL.canParse(text) || /[?#*\s]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === 'https:' && username === '' && password === '';
}

/**
 * A smaller prefix covers addresses of strangers, who could then name any address as theirs. 10.0.0.0/8 and fc00::/7
 * are the largest private ranges.
 */
const WIDEST_PREFIX = { ipv4: 8, ipv6: 7 };

export const addressOrRange = checked((text) => {
  if (!isAddressOrRange(text)) return `${JSON.stringify(text)} is not an IP address or a range such as 10.0.0.0/8`;
  const [address = '', prefix] = text.split('/');
  const widest = address.includes(':') ? WIDEST_PREFIX.ipv6 : WIDEST_PREFIX.ipv4;
  return prefix !== undefined && Number(prefix) < widest
    ? `${JSON.stringify(text)} trusts addresses of strangers: the widest range is /${widest}`
    : undefined;
});

/** Base64 of 32 bytes that were not all left at zero. */
export const encryptionKey = checked((text) => {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return 'is not the base64 of 32 bytes';
  return isAllZero(text) ? 'is all zeros' : undefined;
});

/** Base64 of the 32 bytes that an Ed25519 key is made of. */
export const signingSeed = checked((text) => {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return 'is not the base64 of a 32-byte Ed25519 seed';
  return isAllZero(text) ? 'is all zeros' : undefined;
});

/** 24 to 64 bytes, as the Standard Webhooks specification asks. */
export const webhookSecret = checked((text) => {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '';
  const { length } = Buffer.from(encoded, 'base64');
  if (length < 24 || length > 64) return 'must be whsec_ and the base64 of 24 to 64 bytes';
  return isAllZero(encoded) ? 'is all zeros' : undefined;
});

function isAllZero(base64: string): boolean {
  return Buffer.from(base64, 'base64').every((byte) => byte === 0);
}
