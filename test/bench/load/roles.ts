import { startSignatureAlone } from '../measure-foreign.ts';
import { DELAY_MS } from './measure-load.ts';
import { startPlainServer } from './plain-server.ts';
import { startUpstream } from './upstream.ts';

/** What a child process of the benchmark is, by the name that it was started with. */
export function playRole(role: string): void {
  if (role === 'plain') startPlainServer();
  else if (role === 'upstream') startUpstream(DELAY_MS);
  else if (role === 'upstream at once') startUpstream(0);
  else if (role === 'signature alone') startSignatureAlone();
  else throw new Error(`no such role: ${role}`);
}
