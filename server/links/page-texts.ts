import { LISTS } from './page-text-lists.ts';

/**
 * Texts of the page behind a link. `{merchant}` and `{bank}` stand for names, `{host}` for the site that the customer
 * returns to.
 */
export interface PageTexts {
  /** The language's own name, for the switch. */
  name: string;
  language: string;
  connect: string;
  reconnect: string;
  debit: string;
  payout: string;
  repair: string;
  safe: string;
  start: string;
  starting: string;
  failed: string;
  done: string;
  pending: string;
  close: string;
  back: string;
  copy: string;
  help: string;
  over: string;
  over_help: string;
  no_script: string;
  no_script_start: string;
  agree: string;
  busy: string;
  wait: string;
}

/**
 * The order of each list: a line with its key for each text would be twelve screens. A test holds every list to this
 * length.
 */
const KEYS = [
  'name',
  'language',
  'connect',
  'reconnect',
  'debit',
  'payout',
  'repair',
  'safe',
  'start',
  'starting',
  'failed',
  'done',
  'pending',
  'close',
  'back',
  'copy',
  'help',
  'over',
  'over_help',
  'no_script',
  'no_script_start',
  'agree',
  'busy',
  'wait',
] as const satisfies readonly (keyof PageTexts)[];

export const PAGE_LANGUAGES: readonly string[] = Object.keys(LISTS);

/** @throws Error when a list has another length than the keys, which a test finds */
export function pageTexts(language: string): PageTexts {
  const list = LISTS[language] ?? LISTS['en'] ?? [];
  if (list.length !== KEYS.length) throw new Error(`The texts of the link page in ${language} are not complete.`);
  return Object.fromEntries(KEYS.map((key, i) => [key, list[i]])) as unknown as PageTexts;
}

/**
 * The page's language: the one that was chosen on it, else the session's where the merchant named one, else the
 * browser's.
 * @param wanted from `?lang=`
 * @param acceptLanguage the header, as it came
 */
export function pageLanguage(
  wanted: string | undefined,
  sessionLanguage: string | undefined,
  acceptLanguage: string | undefined,
): string {
  const browsers = (acceptLanguage ?? '')
    .split(',')
    // No browser lists more; the header is a stranger's.
    .slice(0, 20)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';');
      const q = parameters.map((parameter) => /^\s*q=([\d.]+)$/.exec(parameter)?.[1]).find(Boolean);
      return { tag, q: q === undefined ? 1 : Number(q) };
    })
    .sort((a, b) => b.q - a.q)
    .map(({ tag }) => tag);
  for (const tag of [wanted, sessionLanguage, ...browsers]) {
    const primary = tag?.toLowerCase().split('-')[0];
    const language = primary === 'fil' ? 'tl' : primary;
    if (language !== undefined && PAGE_LANGUAGES.includes(language)) return language;
  }
  return 'en';
}

export function fillText(text: string, names: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => names[name] ?? place);
}
