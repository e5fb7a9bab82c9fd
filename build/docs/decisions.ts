import { readdirSync, readFileSync } from 'node:fs';
import { from } from '../project.ts';

export const DECISIONS_FOLDER = 'docs/decisions';
export const DECISIONS_PAGE = 'decisions.html';

const files = (): string[] => readdirSync(from(DECISIONS_FOLDER)).sort();

/** All decisions as one document, each one level deeper: they are short, and read one after the other. */
export function allDecisions(): string {
  const texts = files().map((file) =>
    readFileSync(from(`${DECISIONS_FOLDER}/${file}`), 'utf8').replace(/^#(?=#* )/gm, '##'),
  );
  return ['# Decisions', 'What was decided, why, and what it costs.', ...texts].join('\n\n');
}

/** The number is at the start of the file's name and of its heading, so the address follows from the name. */
export function isDecision(path: string): boolean {
  return path === DECISIONS_FOLDER || files().some((file) => `${DECISIONS_FOLDER}/${file}` === path);
}
