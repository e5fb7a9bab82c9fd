import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testsIn, testsOfOneProcess } from '../helpers/own-process.ts';

const project = join(import.meta.dirname, '../..');

/** A test that starts a server. */
const STARTS = /\bTestServer\b/;
/** A test that chooses a database of its own, or looks into the files of the embedded one. */
const NAMES_ONE = /\b(dataDir|DATA_DIR|DATABASE_URL|openStorage|migratedDatabase|forEachStorage|with\w*Postgres)\b/;

/** The test files of a folder, relative to the project, whose servers can have a database of either kind. */
export function testsOfAnyDatabase(folder: string): string[] {
  const ownProcess = testsOfOneProcess([folder]);
  return testsIn(folder).filter(
    (file) => !ownProcess.includes(file) && isOfAnyDatabase(readFileSync(join(project, file), 'utf8')),
  );
}

function isOfAnyDatabase(code: string): boolean {
  return STARTS.test(code) && !NAMES_ONE.test(code);
}
