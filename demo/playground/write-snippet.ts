import { DEFAULTS, type Options } from './options.ts';

/** The kinds of file that a snippet can be; each has its own way to write an attribute or a request. */
export type SnippetKind = 'markup' | 'jsx' | 'session' | 'policy';

const TAG = /<(finix-bank-connect|FinixBankConnect) name="bank_account"/;
const CUSTOMER = '{"customer_id": "cus_1042"}';

/**
 * A snippet's file with what was changed in the playground written into it. With the defaults it is the file itself.
 */
export function writeSnippet(source: string, kind: SnippetKind, options: Options): string {
  if (kind === 'session')
    return source.replace(CUSTOMER, () =>
      sessionBody(options, source.startsWith('<?php') || source.startsWith('curl')),
    );
  if (kind === 'policy') return source;
  const attributes = Object.entries(attributesOf(options)).map(([name, value]) => ` ${name}="${value}"`);
  const tagged = source.replace(TAG, (tag) => tag + attributes.join(''));
  const style = themeOf(options);
  if (kind === 'jsx') return style ? `${tagged}\n/* In your style sheet:\n${style} */\n` : tagged;
  const rules = style && `<style>\n${style.replace(/^(?=.)/gm, '  ')}</style>\n`;
  if (source.includes('<!-- theme -->')) return tagged.replace('<!-- theme -->\n', () => rules);
  return rules ? `${tagged}\n${rules}` : tagged;
}

function attributesOf({ mode, language, direction, scheme }: Options): Record<string, string> {
  return {
    ...(mode === DEFAULTS.mode ? {} : { mode }),
    ...(language === DEFAULTS.language ? {} : { lang: language }),
    ...(direction === DEFAULTS.direction ? {} : { dir: direction }),
    ...(scheme === DEFAULTS.scheme ? {} : { theme: scheme }),
  };
}

export function themeOf({ accent, onAccent, radius, height }: Options): string {
  const values = [
    accent === DEFAULTS.accent ? '' : `  --fbc-accent: ${accent};\n`,
    onAccent === DEFAULTS.onAccent ? '' : `  --fbc-on-accent: ${onAccent};\n`,
    radius === DEFAULTS.radius ? '' : `  --fbc-radius: ${radius}px;\n`,
    height === DEFAULTS.height ? '' : `  --fbc-height: ${height}px;\n`,
  ].join('');
  return values && `finix-bank-connect {\n${values}}\n`;
}

/** What the merchant's server sends. */
export function sessionRequest({ accounts, authorization, ownership, language }: Options): Record<string, unknown> {
  return {
    ...(accounts === DEFAULTS.accounts ? {} : { account_selection: accounts }),
    ...(authorization === '' ? {} : { authorization: { text: authorization, version: '1' } }),
    ...(ownership === DEFAULTS.ownership ? {} : { ownership }),
    ...(language === DEFAULTS.language ? {} : { language }),
  };
}

/**
 * JSON is a literal of JavaScript and of Python; between single quotes, as curl and PHP have it, a quote is written as
 * an escape of JSON.
 */
function sessionBody(options: Options, isQuoted: boolean): string {
  const request = { customer_id: 'cus_1042', ...sessionRequest(options) };
  const text = JSON.stringify(request, null, 1).replace(/\n\s*/g, ' ').replace('{ "', '{"').replace(/ \}$/, '}');
  return isQuoted ? text.replaceAll("'", '\\u0027') : text;
}
