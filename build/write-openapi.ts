import { writeFileSync } from 'node:fs';
import { openApiDocument } from '../server/http/openapi.ts';
import { from, version } from './project.ts';

/**
 * Part of `npm run build`: the published contract as a file, for generators of clients. The address is a placeholder.
 */
writeFileSync(
  from('dist/openapi.json'),
  `${JSON.stringify(openApiDocument('https://connect.example', version), null, 2)}\n`,
);
