import { environmentExample, settingsMarkdown } from '../server/settings/print.ts';
import { SETTINGS } from '../server/settings/table.ts';

const BEGIN = '<!-- settings: printed by `npm run settings` from server/settings/table.ts -->';
const END = '<!-- /settings -->';

/** The files that show the settings; a test compares each with what would be printed. */
export const printedSettings: { file: string; print: (current: string) => string }[] = [
  { file: 'docs/settings.md', print: (current) => betweenMarkers(current, settingsMarkdown(SETTINGS)) },
  { file: '.env.example', print: () => environmentExample(SETTINGS) },
];

function betweenMarkers(document: string, content: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`The markers of the settings are missing: ${BEGIN} … ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${content}\n\n${document.slice(end)}`;
}
