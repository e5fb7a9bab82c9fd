import { readFileSync, writeFileSync } from 'node:fs';
import { ERRORS_FILE, printErrors } from './printed-errors.ts';
import { from } from './project.ts';

/** `npm run errors`: prints the tables of error codes into the page that shows them. */
const path = from(ERRORS_FILE);
writeFileSync(path, printErrors(readFileSync(path, 'utf8')));
