import { readFileSync, writeFileSync } from 'node:fs';
import { documents } from './docs/documents.ts';
import { fillSnippets } from './docs/snippets.ts';
import { from } from './project.ts';

/** `npm run snippets`: copies the code of the files that documents refer to into the documents. */
const read = (file: string) => readFileSync(from(file), 'utf8');
for (const file of documents()) {
  const before = read(file);
  const after = fillSnippets(before, read);
  if (after === before) continue;
  writeFileSync(from(file), after);
  console.log(file);
}
