import { readFileSync } from 'node:fs';
import { en } from '../widget/i18n/en.ts';
import { from } from './project.ts';

/**
 * Properties of objects that only the script's own modules make and read. They have short names in the script: no page
 * sees one, none is sent or stored, and none is read through a string. What has the name of a property of the browser's
 * keeps it.
 */
export const PRIVATE_NAMES = [
  // of the state and the events of the flow
  ...['phase', 'warm', 'wanted', 'renewable', 'renewed', 'reopened', 'replacing', 'hosted', 'embedded'],
  ...['submission', 'upfront', 'offered', 'notice', 'known', 'stray', 'agreed', 'plaid', 'ids', 'dispatch'],
  // of what is shown
  ...['speechless', 'isOdd', 'missing', 'logo', 'decline', 'card', 'styled', 'working'],
  ...['said', 'settled', 'tall', 'named', 'spoken', 'stranded', 'isTold', 'speech', 'foreign', 'texts', 'describe'],
  ...['follow', 'dress', 'moved', 'publish', 'requiredText'],
  // of the flow's surroundings
  ...['settings', 'detours', 'away', 'arrive', 'place', 'isCovered', 'hidesLink', 'asker', 'isTaken', 'publicSession'],
  // of Link and of the session
  ...['flow', 'prepareLink', 'prepare', 'expire', 'isAside', 'begin', 'isRefusal', 'refused', 'succeeded', 'exited'],
  ...['closing', 'look', 'learn', 'leave', 'secret', 'isPublic'],
] as const;

const CONTRACT = ['session', 'connection', 'problem', 'merchant'].map((name) => from(`widget/contract/${name}.ts`));

/** @returns which of these names are more than the script's own business: they travel, or a page's strings have them */
export function publicAmong(names: readonly string[]): string[] {
  const contract = CONTRACT.map((file) => readFileSync(file, 'utf8')).join('\n');
  return names.filter((name) => name in en || new RegExp(`^\\s*(readonly )?${name}\\??:`, 'm').test(contract));
}
