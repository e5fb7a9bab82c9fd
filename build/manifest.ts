import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vite';
import { createManifest } from './create-manifest.ts';
import { from, project } from './project.ts';

/** Writes the custom elements manifest, which editors and documents read, from the class as it was just built. */
export function manifest(): Plugin {
  const built = 'dist/widget/element.js';
  return {
    name: 'finix-bank-connect:manifest',
    applyToEnvironment: (environment) => environment.name === 'widget',
    async writeBundle() {
      // The query avoids the module of an earlier build in the same process.
      const { FinixBankConnect } = await import(`${pathToFileURL(from(built))}?${Date.now()}`);
      const content = await createManifest(project, built, FinixBankConnect);
      writeFileSync(from('dist/custom-elements.json'), `${JSON.stringify(content, null, 2)}\n`);
    },
  };
}
