import { LOG_LEVELS } from '../log.ts';
import * as is from './schemas.ts';
import { optional, required, type SettingValues, withDefault } from './setting.ts';

/** plaid.com/docs/api/link/#linktokencreate, country_codes */
const PLAID_COUNTRIES = 'US GB ES NL FR IE CA DE IT PL DK NO SE EE LT LV PT BE AT FI'.split(' ') as [
  string,
  ...string[],
];

export const OWNERSHIP_CHECKS = ['off', 'report', 'require'] as const;

/** Plaid shows "This Application" in place of a longer name. */
const MAX_CLIENT_NAME = 30;

const RANDOM_KEY = 'openssl rand -base64 32';
const PLAID_KEYS = 'the Plaid dashboard, Developers > Keys';
const FINIX_KEYS = 'the Finix dashboard, Developers > API Keys';

/**
 * Every setting. The table in docs/settings.md, `.env.example` and `--help` are printed from here (`npm run settings`),
 * in this order. A new setting needs an entry here and a line in `config.ts` that gives it a place in the
 * configuration.
 */
export const SETTINGS = {
  PLAID_CLIENT_ID: required(is.headerText, {
    group: 'Plaid',
    description: "Client ID of your Plaid account's API keys.",
    source: PLAID_KEYS,
  }),
  PLAID_SECRET: required(is.headerText, {
    group: 'Plaid',
    description: 'Secret that goes with the client ID in the chosen environment.',
    source: PLAID_KEYS,
    isSecret: true,
  }),
  PLAID_ENV: required(is.oneOf(['sandbox', 'production']), {
    group: 'Plaid',
    description: 'Environment of the keys: `sandbox` or `production`.',
    example: 'sandbox',
  }),
  PLAID_CLIENT_NAME: required(
    is.text
      .max(MAX_CLIENT_NAME, `must have at most ${MAX_CLIENT_NAME} characters`)
      .regex(/^\P{Cc}*$/u, 'must have no control character'),
    {
      group: 'Plaid',
      description: `The name that customers see in Link, at most ${MAX_CLIENT_NAME} characters.`,
      example: 'Your Shop',
    },
  ),
  PLAID_COUNTRY_CODES: withDefault(is.list(is.oneOf(PLAID_COUNTRIES)), 'US', {
    group: 'Plaid',
    description: 'Comma-separated countries whose banks Link offers.',
  }),
  PLAID_LINK_CUSTOMIZATION: optional(is.text, {
    group: 'Plaid',
    description: 'Name of a Link customization. Its language and countries must match the link token.',
    source: 'the Plaid dashboard, Link > Link Customization',
  }),
  PLAID_REDIRECT_URI: optional(is.url({ protocols: is.WEB }), {
    group: 'Plaid',
    description:
      'Page that OAuth banks return to in webviews. Register it in the Plaid dashboard, Developers > API > Allowed redirect URIs.',
  }),
  PLAID_BASE_URL: optional(is.baseUrl({ protocols: is.WEB }), {
    group: 'Plaid',
    description: "Plaid's API. Only Plaid's own address, or loopback in sandbox (the simulator). Default: Plaid's own.",
  }),

  FINIX_USERNAME: required(
    // Basic authentication ends the user name at the first colon.
    is.text.regex(/^[^:\p{Cc}]*$/u, 'must have no colon and no control character'),
    { group: 'Finix', description: 'User name of your Finix API key.', source: FINIX_KEYS },
  ),
  FINIX_PASSWORD: required(is.text, {
    group: 'Finix',
    description: 'Password of your Finix API key.',
    source: FINIX_KEYS,
    isSecret: true,
  }),
  FINIX_ENV: required(is.oneOf(['sandbox', 'live']), {
    group: 'Finix',
    description:
      'Environment of the key: `sandbox` or `live`. Plaid sandbox goes with Finix sandbox, Plaid production with Finix live.',
    example: 'sandbox',
  }),
  FINIX_BASE_URL: optional(is.baseUrl({ protocols: is.WEB }), {
    group: 'Finix',
    description: "Finix's API. Only Finix's own address, or loopback in sandbox (the simulator). Default: Finix's own.",
  }),
  FINIX_QUIET_SECONDS: withDefault(
    // The default outlasts our own timeout and Finix's longest processing together; more than an hour makes no sense.
    is.wholeNumber(0, 3600),
    '120',
    {
      group: 'Finix',
      description:
        'Seconds after a lost answer of Finix in which no payment instrument is created again. At least 60 with FINIX_ENV=live.',
    },
  ),
  FINIX_WEBHOOK_SECRET: optional(is.list(is.headerText), {
    group: 'Finix',
    description:
      "Signing key of Finix's webhooks; a comma-separated list while you rotate it. Unset: they are refused.",
    source: 'the answer to creating the webhook, `secret_signing_key`',
    isSecret: true,
  }),

  MERCHANT_API_KEY: required(is.list(is.headerText), {
    group: 'Merchant',
    description: 'Key that your server sends as `Authorization: Bearer`; a comma-separated list while you rotate it.',
    command: RANDOM_KEY,
    isSecret: true,
  }),
  MERCHANT_WEBHOOK_URL: optional(is.url({ protocols: is.WEB, query: 'allowed', check: is.httpsUnlessLocal }), {
    group: 'Merchant',
    description: 'Endpoint that receives connection events.',
    requiredWith: 'MERCHANT_WEBHOOK_SECRET',
  }),
  MERCHANT_WEBHOOK_SECRET: optional(is.list(is.webhookSecret), {
    group: 'Merchant',
    description: 'Signs the events. A comma-separated list while you rotate it: every entry signs.',
    command: 'echo "whsec_$(openssl rand -base64 32)"',
    isSecret: true,
    requiredWith: 'MERCHANT_WEBHOOK_URL',
  }),

  ALLOWED_ORIGINS: required(is.list(is.origin), {
    group: 'Pages',
    description:
      'Comma-separated exact origins of the pages that carry the element, as in `https://shop.example`; http only for localhost.',
    example: 'http://localhost:5173',
  }),
  PUBLIC_SESSIONS: withDefault(is.onOff, 'off', {
    group: 'Pages',
    description: '`on`: pages on allowed origins may create sessions for anonymous customers.',
  }),
  PUBLIC_PURPOSE: withDefault(is.oneOf(['debit', 'payout']), 'debit', {
    group: 'Pages',
    description: 'Purpose of those sessions: `debit` or `payout`.',
  }),
  // As long as those that a session may bring.
  PUBLIC_AUTHORIZATION_TEXT: optional(is.text.max(10_000, 'must have at most 10,000 characters'), {
    group: 'Pages',
    description: 'Text that the customer of such a session must accept.',
  }),
  PUBLIC_AUTHORIZATION_VERSION: withDefault(is.text.max(64, 'must have at most 64 characters'), '1', {
    group: 'Pages',
    description: 'Version of that text, stored with the proof of authorization.',
  }),

  HOSTED_LINK: withDefault(is.onOff, 'on', {
    group: 'Pages',
    description:
      '`off`: no session is turned into a Hosted Link, an address of Plaid’s that works for everyone who opens it. Webviews and dialogs then need the button mode.',
  }),

  REPAIR_LINKS: withDefault(is.onOff, 'off', {
    group: 'Pages',
    description:
      '`on`: the event `connection.needs_repair` carries a link, ready to be sent to the customer, that repairs the connection.',
  }),
  LINKS_PAGE: withDefault(is.onOff, 'off', {
    group: 'Pages',
    description:
      '`on`: `/links/new` is a page on which a back office creates, lists and revokes links, with the merchant key typed in by hand.',
  }),
  NATIVE_APPS: optional(is.list(is.nativeApp), {
    group: 'Pages',
    description:
      'Comma-separated addresses of your apps that Link may return to: universal links (`https://shop.example/bank`), Android package names (`com.example.shop`) and, for Hosted Link, addresses with a scheme of the app’s own (`com.example.shop://bank`). Register the first two in the Plaid dashboard.',
  }),

  OWNERSHIP_CHECK: withDefault(is.oneOf(OWNERSHIP_CHECKS), 'report', {
    group: 'Accounts',
    description:
      'What is done with the owner of an account that is being connected: `off` asks nothing, `report` shows on the connection how well the owner fits the session’s identity, `require` refuses other owners. A session may set another value.',
  }),
  DEBIT_CHECK: withDefault(is.oneOf(['local', 'balance', 'signal']), 'local', {
    group: 'Accounts',
    description:
      'What a check before a debit asks: `local` no one, `balance` the bank for its balance, `signal` Plaid Signal. The last two are billed by Plaid.',
  }),
  CHECK_TIMEOUT_SECONDS: withDefault(
    // A bank's balance takes 11 seconds in 95 of 100 cases and 30 at times; a merchant's server waits a minute at most.
    is.wholeNumber(1, 60),
    '10',
    {
      group: 'Accounts',
      description: 'Seconds after which a check answers without the bank or Signal. A bank’s balance may take 30.',
    },
  ),
  PLAID_SIGNAL_RULESET: optional(is.headerText, {
    group: 'Accounts',
    description: 'Key of the Signal ruleset. Unset: the ruleset `default`.',
    source: 'the Plaid dashboard, Signal > Rules',
  }),
  PLAID_CONSENTED_PRODUCTS: optional(is.list(is.productName), {
    group: 'Accounts',
    description:
      'Comma-separated Plaid products that customers consent to in advance, in addition to `signal`, which `DEBIT_CHECK=signal` adds. Each must be enabled for you at Plaid.',
  }),
  RETURNS: withDefault(is.oneOf(['act', 'report']), 'act', {
    group: 'Accounts',
    description:
      'What a returned debit does: `act` changes the connection by its return code and disables the instrument, `report` only shows and sends it.',
  }),
  CHANGED_BANK_DAYS: withDefault(
    // A year is the longest that a change can matter to a payout.
    is.wholeNumber(0, 365),
    '30',
    {
      group: 'Accounts',
      description:
        'Days for which a check asks for review after the bank of a payout or settlement customer has changed; 0: never.',
    },
  ),
  EVIDENCE_KEYS: optional(is.list(is.signingSeed), {
    group: 'Accounts',
    description:
      'Comma-separated base64 Ed25519 seeds that sign evidence: the first signs, all are published. Unset: one is made and kept sealed in the database.',
    command: RANDOM_KEY,
    isSecret: true,
  }),

  PUBLIC_URL: required(is.baseUrl({ protocols: is.WEB, check: is.httpsUnlessLocal }), {
    group: 'Server',
    description: 'Address at which browsers and Plaid reach this server; a path is allowed.',
    example: 'http://localhost:3000',
  }),
  PORT: withDefault(is.wholeNumber(0, 65535), '3000', {
    group: 'Server',
    description: 'Port to listen on; 0 picks one.',
  }),
  HOST: optional(is.text, {
    group: 'Server',
    description:
      'Address to listen on, such as `127.0.0.1` behind a proxy on the same machine. Unset: every address of the machine.',
  }),
  METRICS_PORT: optional(is.wholeNumber(1, 65535), {
    group: 'Server',
    description:
      'Port for `/metrics`, without a credential: keep it inside your network. Unset: `/metrics` on `PORT` asks for the merchant key.',
  }),
  TRUSTED_PROXIES: optional(is.list(is.addressOrRange), {
    group: 'Server',
    description:
      'Comma-separated addresses or ranges of your proxies, whose `X-Forwarded-For` is believed. Without it, all customers behind a proxy share one rate limit.',
  }),
  HTTPS_PROXY: optional(is.proxyUrl, {
    group: 'Server',
    description:
      'Proxy for calls to Plaid, to Finix and to your webhook endpoint, as in `http://user:password@proxy.internal:3128`. Never used for this machine. `HTTP_PROXY` has no effect: every call uses TLS.',
    isSecret: true,
  }),
  NO_PROXY: optional(is.hosts, {
    group: 'Server',
    description: 'Comma-separated hosts that are called without the proxy, with their subdomains; `*`: all.',
  }),
  SHUTDOWN_DELAY_SECONDS: withDefault(
    // Longer than a load balancer takes to see a red check; orchestrators kill after 30 seconds by default.
    is.wholeNumber(0, 60),
    '5',
    {
      group: 'Server',
      description:
        'Seconds after SIGTERM in which `/readyz` answers 503 and everything else works on, before the port closes: time for a load balancer to send no more.',
    },
  ),
  LOG_LEVEL: withDefault(is.oneOf(LOG_LEVELS), 'info', {
    group: 'Server',
    description: `Least severe lines that are written: ${listed(LOG_LEVELS)}.`,
  }),

  DATABASE_URL: optional(is.databaseUrl, {
    group: 'Storage',
    description:
      'PostgreSQL as `postgres://user:password@host/database`, reserved characters of the password percent-encoded. With TLS and a CA of the provider’s own: `?sslmode=verify-full&sslrootcert=/path/to/ca.pem`. Unset: the embedded database.',
    isSecret: true,
  }),
  DATABASE_PREPARED_STATEMENTS: withDefault(is.onOff, 'on', {
    group: 'Storage',
    description:
      '`off`: PostgreSQL keeps no statement prepared. Needed only behind a pooler that lends connections for a transaction and is not noticed at the start, as PgBouncer is.',
  }),
  DATA_DIR: withDefault(is.text, './data', {
    group: 'Storage',
    description: 'Folder of the embedded database: a local disk, never a network file system.',
  }),
  ENCRYPTION_KEY: required(is.list(is.encryptionKey), {
    group: 'Storage',
    description:
      'Comma-separated base64 keys of 32 bytes: the first encrypts, all decrypt. Without the key, every stored bank connection is lost.',
    command: RANDOM_KEY,
    isSecret: true,
  }),
};

export type Settings = SettingValues<typeof SETTINGS>;

function listed(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}
