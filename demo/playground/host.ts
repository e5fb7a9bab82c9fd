import type { FinixBankConnect } from '../../widget/finix-bank-connect.ts';
import { type Options, readOptions } from './options.ts';
import { sessionRequest } from './write-snippet.ts';

/**
 * The page in the playground's frame. It takes its options from its address, and later ones from the playground,
 * without another session.
 */
declare global {
  interface Window {
    applyOptions?: (options: Options) => void;
  }
}

const element = document.querySelector<FinixBankConnect>('finix-bank-connect');
const begun = readOptions(location.search);

if (element) {
  element.fetchClientSecret = async () => {
    const response = await fetch('/api/playground', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(sessionRequest(begun)),
    });
    if (!response.ok) throw new Error(`No session (${response.status}).`);
    return ((await response.json()) as { client_secret: string }).client_secret;
  };
}

function apply({ accent, onAccent, radius, height, language, direction, scheme, mode, width, host }: Options): void {
  if (!element) return;
  const root = document.documentElement;
  root.dataset['host'] = host;
  root.style.colorScheme = host === 'brand' ? 'dark' : scheme === 'auto' ? '' : scheme;
  root.style.setProperty('--width', `${width}px`);
  const variables = {
    '--fbc-accent': accent,
    '--fbc-on-accent': onAccent,
    '--fbc-radius': `${radius}px`,
    '--fbc-height': `${height}px`,
  };
  for (const [name, value] of Object.entries(variables)) element.style.setProperty(name, value);
  element.mode = mode;
  element.lang = language;
  element.dir = direction === 'auto' ? (language === 'ar' ? 'rtl' : 'ltr') : direction;
}

window.applyOptions = apply;
apply(begun);
