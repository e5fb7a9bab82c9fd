import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vite';
import { createManifest } from './create-manifest.ts';
import { vsCodeCssData, vsCodeHtmlData, webTypes } from './editor-data.ts';
import { from, name, project, version } from './project.ts';

/** Writes the custom elements manifest, and the editors' data made from it, from the class as it was just built. */
export function manifest(): Plugin {
  const built = 'dist/widget/element.js';
  return {
    name: 'finix-bank-connect:manifest',
    applyToEnvironment: (environment) => environment.name === 'widget',
    async writeBundle() {
      // The query avoids the module of an earlier build in the same process.
      const { FinixBankConnect } = await import(`${pathToFileURL(from(built))}?${Date.now()}`);
      const content = await createManifest(project, built, FinixBankConnect);
      const write = (file: string, data: object) =>
        writeFileSync(from(`dist/${file}`), `${JSON.stringify(data, null, 2)}\n`);
      write('custom-elements.json', content);
      write('vscode.html-custom-data.json', vsCodeHtmlData(content));
      write('vscode.css-custom-data.json', vsCodeCssData(content));
      write('web-types.json', webTypes(content, name, version));
    },
  };
}
