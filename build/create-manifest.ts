import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is written down about a thing of the element; the rest of the manifest's members passes through as it is. */
interface Described {
  name: string;
  description?: string;
  [more: string]: unknown;
}

interface Member extends Described {
  kind: 'field' | 'method';
  type?: { text: string };
  readonly?: boolean;
  attribute?: string;
}

export interface ElementDeclaration extends Described {
  tagName: string;
  members: Member[];
  attributes: Described[];
  events: Described[];
  slots: Described[];
  cssParts: Described[];
  cssProperties: Described[];
}

export interface Manifest {
  schemaVersion: string;
  modules: { kind: string; path: string; declarations: ElementDeclaration[]; exports: object[] }[];
}

/** The part of the analyzer that is used here; its own types leave it out. */
interface Analyzer {
  create(options: { modules: unknown[]; plugins: [] }): { modules: { declarations?: ElementDeclaration[] }[] };
  ts: { createSourceFile(file: string, text: string, target: number, parents: boolean): unknown };
}

// The class and those that it is made of, whose documentation it inherits.
const FILES = ['element/form-control', 'element/properties', 'finix-bank-connect'];
// As TypeScript numbers it; the analyzer's own copy is older than the newest names.
const ES2022 = 9;

/**
 * The custom elements manifest: the element's own documentation, with the attributes that the built class really has.
 *
 * @param path the built module, relative to the project
 * @param element its class, read for what Lit makes of the properties
 */
export async function createManifest(
  project: string,
  path: string,
  element: typeof import('../widget/finix-bank-connect.ts').FinixBankConnect,
): Promise<Manifest> {
  const { create, ts } = (await import('@custom-elements-manifest/analyzer')) as unknown as Analyzer;
  const modules = FILES.map((name) => {
    const file = `widget/${name}.ts`;
    return ts.createSourceFile(file, readFileSync(join(project, file), 'utf8'), ES2022, true);
  });
  const found = create({ modules, plugins: [] })
    .modules.flatMap((module) => module.declarations ?? [])
    .find(({ name }) => name === element.name);
  if (!found) throw new Error(`There is no class ${element.name} in ${FILES.join(', ')}`);

  // Reading them is what makes Lit collect the properties.
  const observed = element.observedAttributes;
  const attributeOf = (property: string): string | undefined => {
    const { attribute } = element.elementProperties.get(property) ?? { attribute: false };
    const name = typeof attribute === 'string' ? attribute : property.toLowerCase();
    return attribute !== false && observed.includes(name) ? name : undefined;
  };
  const members = found.members.filter(isPublic).map(({ inheritedFrom: _, ...member }): Member => {
    const attribute = attributeOf(member.name);
    return attribute ? { ...member, attribute } : member;
  });
  const attributes = members.flatMap(({ attribute, name, description, type }): Described[] =>
    attribute ? [{ name: attribute, fieldName: name, description, type }] : [],
  );
  const reference = { name: found.name, module: path };
  const { inheritedFrom: _, ...declaration } = found;
  return {
    schemaVersion: '2.1.0',
    modules: [
      {
        kind: 'javascript-module',
        path,
        declarations: [
          {
            ...declaration,
            superclass: { name: 'LitElement', package: 'lit' },
            customElement: true,
            members,
            // The analyzer also sees an event where one is passed on that was made elsewhere.
            events: found.events.filter(({ name }) => name),
            attributes: [...attributes, ...(found.attributes ?? [])],
          },
        ],
        exports: [
          { kind: 'js', name: found.name, declaration: reference },
          { kind: 'custom-element-definition', name: found.tagName, declaration: reference },
        ],
      },
    ],
  };
}

/** What a page may use. The callbacks are public only because browsers and Lit call them. */
function isPublic(member: Member): boolean {
  const { privacy = 'public', static: isStatic } = member;
  return privacy === 'public' && !isStatic && !member.name.endsWith('Callback');
}
