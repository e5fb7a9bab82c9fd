import { isLocalUrl, isLoopbackHost } from './hosts.ts';
import { remedyForSetting, withoutRemedy } from './settings/remedies.ts';
import { readSettings, secretTexts } from './settings/setting.ts';
import { SETTINGS, type Settings } from './settings/table.ts';

/** Everything that can be set, checked once. Times are milliseconds. */
export type Config = ReturnType<typeof toConfig>;

type Environment = Record<string, string | undefined>;

const PLAID_HOSTS = { sandbox: 'https://sandbox.plaid.com', production: 'https://production.plaid.com' } as const;
const FINIX_HOSTS = {
  sandbox: 'https://finix.sandbox-payments-api.com',
  live: 'https://finix.live-payments-api.com',
} as const;

/** All problems of the settings at once: one start is enough to learn them. Names settings, never secret values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: string[]) {
    super(`The settings need attention:\n${problems.map(toLines).join('\n')}`);
  }
}

function toLines(problem: string): string {
  const hasRemedy = withoutRemedy(problem) !== problem;
  return hasRemedy ? `  - ${problem}` : `  - ${problem}\n    -> ${remedyForSetting(problem)}`;
}

/**
 * Reads the settings from an environment.
 * @throws ConfigError naming every missing, malformed or contradictory setting.
 */
export function loadConfig(environment: Environment): Config {
  const env = withProxies(environment);
  const { values, problems } = readSettings(SETTINGS, env);
  problems.push(...RULES.flatMap((rule) => rule(values) ?? []));
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(values as Settings, secretTexts(SETTINGS, env));
}

/**
 * Reads only the location of the data: a backup needs no keys.
 * @throws ConfigError
 */
export function loadStorageSettings(env: Environment): Pick<Config, 'databaseUrl' | 'dataDir'> {
  const { DATABASE_URL, DATA_DIR } = SETTINGS;
  const { values, problems } = readSettings({ DATABASE_URL, DATA_DIR }, env);
  if (problems.length > 0) throw new ConfigError(problems);
  return { databaseUrl: values.DATABASE_URL, dataDir: values.DATA_DIR ?? '' };
}

/** Proxies are the one setting that programs also read in lower case. */
function withProxies(env: Environment): Environment {
  return {
    ...env,
    HTTPS_PROXY: env['HTTPS_PROXY'] ?? env['https_proxy'],
    NO_PROXY: env['NO_PROXY'] ?? env['no_proxy'],
  };
}

/**
 * Reads only how Plaid and Finix are reached: trying them needs no address, database or key of this server.
 * @throws ConfigError
 */
export function loadProviderSettings(env: Environment): Pick<Config, 'plaid' | 'finix' | 'proxy'> {
  const isTheirs = (name: string) => /^(PLAID|FINIX)_|_PROXY$/.test(name);
  const table = Object.fromEntries(Object.entries(SETTINGS).filter(([name]) => isTheirs(name)));
  const { values, problems } = readSettings(table, withProxies(env));
  const found = values as Partial<Settings>;
  problems.push(...RULES.flatMap((rule) => rule(found) ?? []));
  if (problems.length > 0) throw new ConfigError(problems);
  return providersOf(found as Settings);
}

const DAY_MS = 24 * 3600_000;
/** Asked for by every link token anyhow; Plaid refuses a product that is in two lists. */
const LINK_PRODUCTS: ReadonlySet<string> = new Set(['auth', 'identity']);

function providersOf(s: Settings) {
  return {
    plaid: {
      clientId: s.PLAID_CLIENT_ID,
      secret: s.PLAID_SECRET,
      environment: s.PLAID_ENV,
      baseUrl: s.PLAID_BASE_URL ?? PLAID_HOSTS[s.PLAID_ENV],
      clientName: s.PLAID_CLIENT_NAME,
      countryCodes: s.PLAID_COUNTRY_CODES,
      linkCustomization: s.PLAID_LINK_CUSTOMIZATION,
      redirectUri: s.PLAID_REDIRECT_URI,
    },
    finix: {
      username: s.FINIX_USERNAME,
      password: s.FINIX_PASSWORD,
      environment: s.FINIX_ENV,
      baseUrl: s.FINIX_BASE_URL ?? FINIX_HOSTS[s.FINIX_ENV],
      quietMs: s.FINIX_QUIET_SECONDS * 1000,
      webhookSecrets: s.FINIX_WEBHOOK_SECRET ?? [],
    },
    proxy: s.HTTPS_PROXY ? { url: s.HTTPS_PROXY, except: s.NO_PROXY ?? [] } : undefined,
  };
}

function toConfig(s: Settings, secretValues: string[]) {
  const basic = Buffer.from(`${s.FINIX_USERNAME}:${s.FINIX_PASSWORD}`).toString('base64');
  return {
    ...providersOf(s),
    merchantApiKeys: s.MERCHANT_API_KEY,
    merchantWebhook:
      s.MERCHANT_WEBHOOK_URL && s.MERCHANT_WEBHOOK_SECRET
        ? { url: s.MERCHANT_WEBHOOK_URL, secrets: s.MERCHANT_WEBHOOK_SECRET }
        : undefined,
    allowedOrigins: s.ALLOWED_ORIGINS,
    publicSessions: {
      enabled: s.PUBLIC_SESSIONS,
      purpose: s.PUBLIC_PURPOSE,
      authorization: s.PUBLIC_AUTHORIZATION_TEXT
        ? { text: s.PUBLIC_AUTHORIZATION_TEXT, version: s.PUBLIC_AUTHORIZATION_VERSION }
        : undefined,
    },
    ownershipCheck: s.OWNERSHIP_CHECK,
    debitCheck: s.DEBIT_CHECK,
    checkTimeoutMs: s.CHECK_TIMEOUT_SECONDS * 1000,
    signalRuleset: s.PLAID_SIGNAL_RULESET,
    /**
     * Collected by every link token, never among `products`: a processor token may not be made for an Item with other
     * products.
     */
    consentedProducts: [
      ...new Set([...(s.DEBIT_CHECK === 'signal' ? ['signal'] : []), ...(s.PLAID_CONSENTED_PRODUCTS ?? [])]),
    ].filter((product) => !LINK_PRODUCTS.has(product)),
    returns: s.RETURNS,
    changedBankMs: s.CHANGED_BANK_DAYS * DAY_MS,
    evidenceKeys: s.EVIDENCE_KEYS ?? [],
    publicUrl: s.PUBLIC_URL,
    port: s.PORT,
    databaseUrl: s.DATABASE_URL,
    preparedStatements: s.DATABASE_PREPARED_STATEMENTS,
    dataDir: s.DATA_DIR,
    encryptionKeys: s.ENCRYPTION_KEY,
    hostedLink: s.HOSTED_LINK,
    repairLinks: s.REPAIR_LINKS,
    linksPage: s.LINKS_PAGE,
    nativeApps: s.NATIVE_APPS ?? [],
    host: s.HOST,
    metricsPort: s.METRICS_PORT,
    trustedProxies: s.TRUSTED_PROXIES ?? [],
    shutdownDelayMs: s.SHUTDOWN_DELAY_SECONDS * 1000,
    logLevel: s.LOG_LEVEL,
    /** For the log, which removes them from every line. */
    secretValues: [...secretValues, basic],
  };
}

/**
 * What settings must have in common. A setting that could not be read is missing here, and its problem is known
 * already.
 */
type Rule = (s: Partial<Settings>) => string | undefined;

const isProduction = (s: Partial<Settings>) => s.PLAID_ENV === 'production' || s.FINIX_ENV === 'live';

/** 32 characters of base64 or hex are at least 128 bits, which cannot be guessed. */
const MIN_PRODUCTION_KEY = 32;
/** Fewer than 12 different values among 32 random bytes happen once in 10^14 keys; a placeholder repeats a few. */
const MIN_DIFFERENT_BYTES = 12;

/**
 * The client gives a create call up after 30 seconds (clients/finix.ts); Finix may carry it out until then and later.
 */
const LEAST_LIVE_QUIET_S = 60;

const RULES: Rule[] = [
  ({ PLAID_ENV, FINIX_ENV }) => {
    if (!PLAID_ENV || !FINIX_ENV || (PLAID_ENV === 'sandbox') === (FINIX_ENV === 'sandbox')) return undefined;
    return `PLAID_ENV and FINIX_ENV contradict each other: Plaid ${PLAID_ENV} cannot be used with Finix ${FINIX_ENV}`;
  },
  ({ PLAID_ENV, PLAID_BASE_URL }) =>
    PLAID_ENV && providerProblem('PLAID_BASE_URL', PLAID_BASE_URL, PLAID_HOSTS[PLAID_ENV], PLAID_ENV === 'production'),
  ({ FINIX_ENV, FINIX_BASE_URL }) =>
    FINIX_ENV && providerProblem('FINIX_BASE_URL', FINIX_BASE_URL, FINIX_HOSTS[FINIX_ENV], FINIX_ENV === 'live'),
  ({ PLAID_ENV, PLAID_REDIRECT_URI }) => {
    if (!PLAID_REDIRECT_URI || PLAID_REDIRECT_URI.startsWith('https:')) return undefined;
    const isLocal = new URL(PLAID_REDIRECT_URI).hostname === 'localhost' && PLAID_ENV !== 'production';
    return isLocal ? undefined : 'PLAID_REDIRECT_URI must use https (http://localhost only in sandbox)';
  },
  ({ FINIX_ENV, FINIX_QUIET_SECONDS: quiet }) =>
    FINIX_ENV === 'live' && quiet !== undefined && quiet < LEAST_LIVE_QUIET_S
      ? `FINIX_QUIET_SECONDS must be at least ${LEAST_LIVE_QUIET_S} with FINIX_ENV=live: a create call whose answer was lost may still be carried out`
      : undefined,
  // 0 is a free port, and another one each time.
  ({ PORT, METRICS_PORT }) =>
    PORT !== undefined && PORT !== 0 && PORT === METRICS_PORT
      ? 'METRICS_PORT and PORT must not be the same port'
      : undefined,
  (s) =>
    isProduction(s) && s.MERCHANT_API_KEY?.some((key) => key.length < MIN_PRODUCTION_KEY)
      ? `MERCHANT_API_KEY must have at least ${MIN_PRODUCTION_KEY} characters in production`
      : undefined,
  (s) => placeholderIn('ENCRYPTION_KEY', s, s.ENCRYPTION_KEY),
  // Who can guess it can sign evidence.
  (s) => placeholderIn('EVIDENCE_KEYS', s, s.EVIDENCE_KEYS),
];

function placeholderIn(name: string, s: Partial<Settings>, keys: readonly string[] = []): string | undefined {
  const isRandom = (key: string) => new Set(Buffer.from(key, 'base64')).size >= MIN_DIFFERENT_BYTES;
  if (!isProduction(s) || keys.every(isRandom)) return undefined;
  return `${name} holds an entry that is not random: make one with: openssl rand -base64 32`;
}

function providerProblem(name: string, given: string | undefined, own: string, isReal: boolean): string | undefined {
  if (given === undefined || new URL(given).href === new URL(own).href) return undefined;
  if (!isLoopbackHost(new URL(given).hostname))
    return `${name} must be ${own} or an address of this machine (loopback)`;
  return isReal ? `${name} must not be a loopback address with production or live` : undefined;
}

/**
 * The address that Plaid sends webhooks to.
 * @returns undefined when Plaid itself cannot reach it: an address of this machine, which only the simulator can reach
 */
export function webhookUrl({ plaid, publicUrl }: Pick<Config, 'plaid' | 'publicUrl'>): string | undefined {
  return isLocalUrl(publicUrl) && !isLocalUrl(plaid.baseUrl) ? undefined : `${publicUrl}/webhooks/plaid`;
}
