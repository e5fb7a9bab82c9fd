import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { version } from './project.ts';

/**
 * Writes what a merchant needs to pin the script (`integrity.json`) and prints the hash, which is used only when it is
 * seen. The script's own facts come first; `chunks` are the files it loads, `first` with it and `later` when the
 * customer comes near.
 */
export function integrity(scriptFile: string): Plugin {
  return {
    name: 'finix-bank-connect:integrity',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    writeBundle({ dir }, bundle) {
      if (!dir) return;
      const facts = (file: string) => {
        const code = readFileSync(join(dir, file));
        const hash = `sha384-${createHash('sha384').update(code).digest('base64')}`;
        return { file, integrity: hash, bytes: code.length, brotli_bytes: brotliCompressSync(code).length };
      };
      const first = new Set<string>();
      const follow = (file: string) => {
        const chunk = bundle[file];
        if (chunk?.type !== 'chunk' || first.has(file)) return;
        first.add(file);
        chunk.imports.forEach(follow);
      };
      follow(scriptFile);
      const { file, ...script } = facts(scriptFile);
      const chunks = Object.keys(bundle)
        .filter((name) => name.endsWith('.js') && name !== scriptFile)
        .map((name) => ({ ...facts(name), load: first.has(name) ? 'first' : 'later' }));
      const total = (load: string) => chunks.reduce((sum, c) => sum + (c.load === load ? c.brotli_bytes : 0), 0);
      writeFileSync(join(dir, 'integrity.json'), `${JSON.stringify({ file, version, ...script, chunks }, null, 2)}\n`);
      console.log(
        `dist/cdn/${file} ${version}: ${script.brotli_bytes + total('first')} bytes brotli at first, ${total('later')} later, integrity="${script.integrity}"`,
      );
    },
  };
}
