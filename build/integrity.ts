import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { version } from './project.ts';

/**
 * Writes the facts of the scripts (`integrity.json`), and prints the hash that a merchant pins, which is used only when
 * it is seen. `chunks` are the files that the moving script loads, `first` with it and `later` when the customer comes
 * near. The pinned script loads none: its one hash covers all the code that it runs.
 */
export function integrity(scriptFile: string, pinnedFile: string): Plugin {
  return {
    name: 'finix-bank-connect:integrity',
    applyToEnvironment: (environment) => environment.name === 'cdn' || environment.name === 'pinned',
    writeBundle({ dir }, bundle) {
      if (!dir) return;
      const factsFile = join(dir, 'integrity.json');
      const size = (file: string) => {
        const code = readFileSync(join(dir, file));
        return { file, bytes: code.length, brotli_bytes: brotliCompressSync(code).length };
      };
      if (this.environment.name === 'pinned') {
        const chunks = Object.values(bundle).filter(({ type }) => type === 'chunk');
        const others = chunks.map(({ fileName }) => fileName).filter((name) => name !== pinnedFile);
        if (others.length > 0) this.error(`The pinned script must be one file, and there are ${others.join(', ')}.`);
        const code = readFileSync(join(dir, pinnedFile));
        const hash = `sha384-${createHash('sha384').update(code).digest('base64')}`;
        const pinned = { ...size(pinnedFile), integrity: hash };
        const facts = { ...JSON.parse(readFileSync(factsFile, 'utf8')), pinned };
        writeFileSync(factsFile, `${JSON.stringify(facts, null, 2)}\n`);
        console.log(`dist/cdn/${pinnedFile}: ${pinned.brotli_bytes} bytes brotli, integrity="${hash}"`);
        return;
      }
      const first = new Set<string>();
      const follow = (file: string) => {
        const chunk = bundle[file];
        if (chunk?.type !== 'chunk' || first.has(file)) return;
        first.add(file);
        chunk.imports.forEach(follow);
      };
      follow(scriptFile);
      const { file, ...script } = size(scriptFile);
      const chunks = Object.keys(bundle)
        .filter((name) => name.endsWith('.js') && name !== scriptFile)
        .map((name) => ({ ...size(name), load: first.has(name) ? 'first' : 'later' }));
      const total = (load: string) => chunks.reduce((sum, c) => sum + (c.load === load ? c.brotli_bytes : 0), 0);
      writeFileSync(factsFile, `${JSON.stringify({ file, version, ...script, chunks }, null, 2)}\n`);
      console.log(
        `dist/cdn/${file} ${version}: ${script.brotli_bytes + total('first')} bytes brotli at first, ${total('later')} later`,
      );
    },
  };
}
