import type { AccountSelection, LinkMode, Ownership } from '../../widget/contract.ts';

/** Everything that the playground changes. What is at its default is in no address and in no snippet. */
export interface Options {
  accent: string;
  onAccent: string;
  radius: string;
  height: string;
  language: string;
  direction: string;
  scheme: string;
  mode: LinkMode;
  accounts: AccountSelection;
  authorization: string;
  ownership: Ownership;
  width: string;
  host: string;
}

export const DEFAULTS: Options = {
  accent: '#1c6f5b',
  onAccent: '#ffffff',
  radius: '12',
  height: '56',
  language: 'en',
  direction: 'auto',
  scheme: 'auto',
  mode: 'button',
  accounts: 'single',
  authorization: '',
  ownership: 'report',
  width: '420',
  host: 'plain',
};

export const CHOICES: Partial<Record<keyof Options, readonly [value: string, label: string][]>> = {
  language: [
    ['en', 'English'],
    ['es', 'Español'],
    ['fr', 'Français'],
    ['pt', 'Português'],
    ['de', 'Deutsch'],
    ['it', 'Italiano'],
    ['nl', 'Nederlands'],
    ['pl', 'Polski'],
    ['tl', 'Tagalog'],
    ['zh', '中文'],
    ['ko', '한국어'],
    ['vi', 'Tiếng Việt'],
    ['ar', 'العربية'],
  ],
  direction: [
    ['auto', 'By language'],
    ['ltr', 'Left to right'],
    ['rtl', 'Right to left'],
  ],
  scheme: [
    ['auto', 'System'],
    ['light', 'Light'],
    ['dark', 'Dark'],
  ],
  mode: [
    ['button', 'Button'],
    ['embedded', 'Embedded search'],
    ['hosted', 'Hosted by Plaid'],
  ],
  accounts: [
    ['single', 'One account'],
    ['multiple', 'Several'],
  ],
  ownership: [
    ['off', 'Not compared'],
    ['report', 'Reported'],
    ['require', 'Required'],
  ],
  host: [
    ['plain', 'Plain'],
    ['utility', 'Utility classes'],
    ['modal', 'In a modal'],
    ['brand', 'Dark brand'],
  ],
};

/** What a session is made with: a change of one of these needs another session. */
export const SESSION_OPTIONS: readonly (keyof Options)[] = [
  'accounts',
  'authorization',
  'ownership',
  'language',
  'mode',
  'host',
];

const COLOR = /^#[0-9a-f]{6}$/;
/** Pixels. */
const RANGES: Partial<Record<keyof Options, [least: number, most: number]>> = {
  radius: [0, 28],
  height: [44, 72],
  width: [240, 640],
};
const MOST_TEXT = 300;

/** An address is written by anybody: what does not fit is at its default. */
export function readOptions(search: string): Options {
  const given = new URLSearchParams(search);
  const entries = Object.entries(DEFAULTS).map(([name, fallback]) => {
    const value = given.get(name);
    return [name, value !== null && isAllowed(name as keyof Options, value) ? value : fallback];
  });
  return Object.fromEntries(entries) as unknown as Options;
}

function isAllowed(name: keyof Options, value: string): boolean {
  const choices = CHOICES[name];
  if (choices) return choices.some(([choice]) => choice === value);
  const range = RANGES[name];
  if (range) return /^\d+$/.test(value) && Number(value) >= range[0] && Number(value) <= range[1];
  if (name === 'authorization') return value.length <= MOST_TEXT;
  return COLOR.test(value);
}

export function writeOptions(options: Options): string {
  return new URLSearchParams(
    Object.entries(options).filter(([name, value]) => DEFAULTS[name as keyof Options] !== value),
  ).toString();
}

/** Contrast of two colors, as WCAG 2 has it: 1 to 21. */
export function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((one, other) => other - one);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
