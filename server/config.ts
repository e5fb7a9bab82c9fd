import { isAddressOrRange, isLocalOrLoopbackHost, isLoopbackHost } from './hosts.ts';

/** Everything that can be set, checked once. Times are milliseconds. */
export interface Config {
  plaid: {
    clientId: string;
    secret: string;
    environment: 'sandbox' | 'production';
    baseUrl: string;
    clientName: string;
    countryCodes: string[];
    linkCustomization: string | undefined;
    redirectUri: string | undefined;
  };
  finix: {
    username: string;
    password: string;
    environment: 'sandbox' | 'live';
    baseUrl: string;
    quietMs: number;
    webhookSecret: string | undefined;
  };
  merchantApiKeys: string[];
  merchantWebhook: { url: string; secret: string } | undefined;
  allowedOrigins: string[];
  publicSessions: {
    enabled: boolean;
    purpose: 'debit' | 'payout';
    authorization: { text: string; version: string } | undefined;
  };
  publicUrl: string;
  port: number;
  databaseUrl: string | undefined;
  dataDir: string;
  encryptionKeys: string[];
  trustedProxies: string[];
  logLevel: LogLevel;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const PLAID_HOSTS = { sandbox: 'https://sandbox.plaid.com', production: 'https://production.plaid.com' } as const;
const FINIX_HOSTS = {
  sandbox: 'https://finix.sandbox-payments-api.com',
  live: 'https://finix.live-payments-api.com',
} as const;

/** plaid.com/docs/api/link/#linktokencreate, country_codes */
const PLAID_COUNTRIES = new Set('US GB ES NL FR IE CA DE IT PL DK NO SE EE LT LV PT BE AT FI'.split(' '));

/** All that is wrong with the settings, at once: one start is enough to learn it. Names settings, never their values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: string[]) {
    super(`The settings need attention:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
  }
}

/**
 * Reads the settings from an environment.
 * @throws ConfigError naming every missing, malformed or contradictory setting.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const problem = (setting: string, message: string) => problems.push(`${setting} ${message}`);

  const optional = (name: string) => env[name]?.trim() || undefined;
  const required = (name: string, what: string) => {
    const value = optional(name);
    if (value === undefined) problem(name, `is missing: ${what}`);
    return value ?? '';
  };
  const list = (value: string | undefined) => (value ?? '').split(',').flatMap((part) => part.trim() || []);
  const requiredList = (name: string, what: string) => {
    const entries = list(required(name, what));
    if (optional(name) && entries.length === 0) problem(name, `holds no entry: ${what}`);
    if (new Set(entries).size < entries.length) problem(name, 'holds an entry twice');
    return entries;
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[], fallback?: T): T => {
    const value = optional(name) ?? fallback;
    if (value === undefined) problem(name, `is missing: ${allowed.join(' or ')}`);
    else if (!allowed.includes(value as T)) problem(name, `must be one of ${allowed.join(', ')}`);
    return (value ?? allowed[0]) as T;
  };
  const wholeNumber = (name: string, fallback: number, min: number, max: number) => {
    const text = optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      problem(name, `must be a whole number from ${min} to ${max}`);
    return value;
  };
  const url = (name: string, text: string | undefined, check: (parsed: URL) => string | undefined) => {
    if (!text) return undefined;
    if (!URL.canParse(text)) {
      problem(name, 'is not a URL');
      return undefined;
    }
    const complaint = check(new URL(text));
    if (complaint) problem(name, complaint);
    return text.replace(/\/+$/, '');
  };

  const plaidEnvironment = oneOf('PLAID_ENV', ['sandbox', 'production']);
  const finixEnvironment = oneOf('FINIX_ENV', ['sandbox', 'live']);
  if (
    optional('PLAID_ENV') &&
    optional('FINIX_ENV') &&
    (plaidEnvironment === 'sandbox') !== (finixEnvironment === 'sandbox')
  ) {
    problem(
      'PLAID_ENV and FINIX_ENV',
      `contradict each other: Plaid ${plaidEnvironment} cannot be used with Finix ${finixEnvironment}`,
    );
  }
  const isProduction = plaidEnvironment === 'production' || finixEnvironment === 'live';

  const providerUrl = (name: string, own: string, environmentIsReal: boolean) =>
    url(name, optional(name), (parsed) => {
      if (parsed.origin === own && parsed.pathname === '/') return undefined;
      if (!isLoopbackHost(parsed.hostname)) return `must be ${own} or an address of this machine (loopback)`;
      return environmentIsReal ? 'must not be a loopback address with production or live' : undefined;
    }) ?? own;

  const clientName = required('PLAID_CLIENT_NAME', 'the name that customers see in Link');
  // Plaid shows "This Application" instead of a longer one.
  if (clientName.length > 30) problem('PLAID_CLIENT_NAME', 'must have at most 30 characters');

  const countryCodes = list(optional('PLAID_COUNTRY_CODES') ?? 'US');
  if (countryCodes.length === 0 || !countryCodes.every((code) => PLAID_COUNTRIES.has(code))) {
    problem(
      'PLAID_COUNTRY_CODES',
      `must be a comma list of countries that Plaid knows: ${[...PLAID_COUNTRIES].join(', ')}`,
    );
  }

  const merchantApiKeys = requiredList(
    'MERCHANT_API_KEY',
    'the key your server sends; a comma list while you rotate it',
  );
  // 32 characters of base64 or hex are at least 128 bits, which cannot be guessed.
  if (isProduction && merchantApiKeys.some((key) => key.length < 32)) {
    problem('MERCHANT_API_KEY', 'must have at least 32 characters in production');
  }

  const encryptionKeys = requiredList(
    'ENCRYPTION_KEY',
    'base64 of 32 random bytes; make one with: openssl rand -base64 32',
  );
  encryptionKeys.forEach((key, i) => {
    if (!/^[A-Za-z0-9+/]{43}=$/.test(key)) problem('ENCRYPTION_KEY', `entry ${i + 1} is not the base64 of 32 bytes`);
  });

  const allowedOrigins = requiredList('ALLOWED_ORIGINS', 'the origins of the pages that carry the element');
  for (const origin of allowedOrigins) {
    const complaint = originComplaint(origin);
    if (complaint) problem('ALLOWED_ORIGINS', `entry ${JSON.stringify(origin)} ${complaint}`);
  }

  const publicUrl =
    url('PUBLIC_URL', required('PUBLIC_URL', 'the address at which browsers and Plaid reach this server'), (parsed) => {
      if (parsed.search || parsed.hash) return 'must have no query and no fragment';
      if (parsed.protocol === 'https:') return undefined;
      return parsed.protocol === 'http:' && isLocalOrLoopbackHost(parsed.hostname) ? undefined : 'must use https';
    }) ?? '';

  const redirectUri = url('PLAID_REDIRECT_URI', optional('PLAID_REDIRECT_URI'), (parsed) => {
    if (parsed.search || parsed.hash) return 'must have no query and no fragment (Plaid refuses them)';
    const localAllowed = plaidEnvironment === 'sandbox' && parsed.hostname === 'localhost';
    return parsed.protocol === 'https:' || localAllowed
      ? undefined
      : 'must use https (http://localhost only in sandbox)';
  });

  const webhookUrl = url('MERCHANT_WEBHOOK_URL', optional('MERCHANT_WEBHOOK_URL'), (parsed) =>
    parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLocalOrLoopbackHost(parsed.hostname))
      ? undefined
      : 'must use https',
  );
  const webhookSecret = optional('MERCHANT_WEBHOOK_SECRET');
  if (webhookUrl && !webhookSecret) problem('MERCHANT_WEBHOOK_SECRET', 'is missing: MERCHANT_WEBHOOK_URL is set');
  if (webhookSecret && !optional('MERCHANT_WEBHOOK_URL')) {
    problem('MERCHANT_WEBHOOK_URL', 'is missing: MERCHANT_WEBHOOK_SECRET is set');
  }
  // 24 to 64 bytes, as the Standard Webhooks specification asks.
  if (webhookSecret && !isWebhookSecret(webhookSecret)) {
    problem('MERCHANT_WEBHOOK_SECRET', 'must be whsec_ and the base64 of 24 to 64 bytes');
  }

  const { databaseUrl, dataDir } = readStorageSettings(env, problem);

  const trustedProxies = list(optional('TRUSTED_PROXIES'));
  for (const proxy of trustedProxies) {
    if (!isAddressOrRange(proxy)) {
      problem('TRUSTED_PROXIES', `entry ${JSON.stringify(proxy)} is not an IP address or a range such as 10.0.0.0/8`);
    }
  }

  const authorizationText = optional('PUBLIC_AUTHORIZATION_TEXT');
  const config: Config = {
    plaid: {
      clientId: required('PLAID_CLIENT_ID', 'from the Plaid dashboard, Developers > Keys'),
      secret: required('PLAID_SECRET', 'from the Plaid dashboard, Developers > Keys'),
      environment: plaidEnvironment,
      baseUrl: providerUrl('PLAID_BASE_URL', PLAID_HOSTS[plaidEnvironment] ?? '', plaidEnvironment === 'production'),
      clientName,
      countryCodes,
      linkCustomization: optional('PLAID_LINK_CUSTOMIZATION'),
      redirectUri,
    },
    finix: {
      username: required('FINIX_USERNAME', 'from the Finix dashboard, Developers > API Keys'),
      password: required('FINIX_PASSWORD', 'from the Finix dashboard, Developers > API Keys'),
      environment: finixEnvironment,
      baseUrl: providerUrl('FINIX_BASE_URL', FINIX_HOSTS[finixEnvironment] ?? '', finixEnvironment === 'live'),
      // Longer than our own timeout and Finix's longest processing together; an hour is the most that can make sense.
      quietMs: wholeNumber('FINIX_QUIET_SECONDS', 120, 0, 3600) * 1000,
      webhookSecret: optional('FINIX_WEBHOOK_SECRET'),
    },
    merchantApiKeys,
    merchantWebhook: webhookUrl && webhookSecret ? { url: webhookUrl, secret: webhookSecret } : undefined,
    allowedOrigins,
    publicSessions: {
      enabled: oneOf('PUBLIC_SESSIONS', ['on', 'off'], 'off') === 'on',
      purpose: oneOf('PUBLIC_PURPOSE', ['debit', 'payout'], 'debit'),
      authorization: authorizationText
        ? { text: authorizationText, version: optional('PUBLIC_AUTHORIZATION_VERSION') ?? '1' }
        : undefined,
    },
    publicUrl,
    port: wholeNumber('PORT', 3000, 0, 65535),
    databaseUrl,
    dataDir,
    encryptionKeys,
    trustedProxies,
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/**
 * Reads only where the data lies: a backup needs no keys.
 * @throws ConfigError
 */
export function loadStorageSettings(env: Record<string, string | undefined>): Pick<Config, 'databaseUrl' | 'dataDir'> {
  const problems: string[] = [];
  const settings = readStorageSettings(env, (setting, message) => problems.push(`${setting} ${message}`));
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

function readStorageSettings(
  env: Record<string, string | undefined>,
  problem: (setting: string, message: string) => void,
): Pick<Config, 'databaseUrl' | 'dataDir'> {
  const databaseUrl = env['DATABASE_URL']?.trim() || undefined;
  if (databaseUrl && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    problem('DATABASE_URL', 'must begin with postgres:// (leave it out for the embedded database)');
  }
  return { databaseUrl, dataDir: env['DATA_DIR']?.trim() || './data' };
}

function originComplaint(origin: string): string | undefined {
  if (origin === '*') return 'is refused: name each origin';
  if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
    return 'is not an exact origin such as https://shop.example (no path, no closing slash)';
  }
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'https:' || (protocol === 'http:' && isLocalOrLoopbackHost(hostname))) return undefined;
  return 'must use https (http only for localhost and loopback)';
}

function isWebhookSecret(text: string): boolean {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text);
  const bytes = match?.[1] ? Buffer.from(match[1], 'base64').length : 0;
  return bytes >= 24 && bytes <= 64;
}
