import { SETTINGS } from './table.ts';

/** Where the setting's own facts do not show the way out. */
const OWN: readonly (readonly [RegExp, string])[] = [
  [
    /^PLAID_ENV and FINIX_ENV contradict/,
    'Use PLAID_ENV=sandbox with FINIX_ENV=sandbox, or production with live, each with the keys of that environment.',
  ],
  [
    /^PUBLIC_URL must use https/,
    'Set it to the https address of the proxy or tunnel in front of the server (docs/deploy.md); http works at localhost.',
  ],
  [/^ALLOWED_ORIGINS .*must use https/, 'Serve the page over https, or open it at http://localhost while you develop.'],
  [
    /^ALLOWED_ORIGINS /,
    'Enter `location.origin` in the console of the browser that shows the page, and copy what it prints.',
  ],
];

/** What to do about a setting that is wrong, in one line. @param problem as ConfigError lists it */
export function remedyForSetting(problem: string): string {
  const own = OWN.find(([pattern]) => pattern.test(problem));
  if (own) return own[1];
  const [name = ''] = problem.split(' ', 1);
  const { command, source } = SETTINGS[name as keyof typeof SETTINGS] ?? {};
  if (command !== undefined) return `Make one with: ${command}`;
  if (source !== undefined) return `Find it in ${source}.`;
  return `See ${name} in docs/settings.md.`;
}

/** @param problem as ConfigError lists it, which may end with the remedy */
export function withoutRemedy(problem: string): string {
  return problem.replace(/: (make one with|find it in)\b.*/, '');
}
