import { readdirSync } from 'node:fs';
import { from } from '../project.ts';

/** Every document for users, relative to the project. */
export const documents = (): string[] => [
  'README.md',
  'server/README.md',
  'demo/simulator/README.md',
  ...readdirSync(from('docs'))
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => `docs/${file}`),
];
