import type { LinkMode } from '../widget/contract.ts';
import type { ElementDeclaration, Manifest } from './create-manifest.ts';

/**
 * What editors read about the element, made from the custom elements manifest: completion and descriptions while a page
 * is written.
 */

/** Values that an editor offers for an attribute, by the name of its type. */
const VALUES: Record<string, readonly string[]> = {
  LinkMode: ['button', 'embedded', 'hosted'] satisfies readonly LinkMode[],
};

interface Named {
  name: string;
  description?: string;
  [more: string]: unknown;
}

/** `html.customData` of VS Code: github.com/microsoft/vscode-custom-data. */
export function vsCodeHtmlData(manifest: Manifest): object {
  const tags = elementsOf(manifest).map(({ tagName, description, attributes }) => ({
    name: tagName,
    description: markdown(description),
    attributes: attributes.map((attribute) => ({
      name: attribute.name,
      ...described(attribute),
      ...(typeOf(attribute) === 'boolean' ? { valueSet: 'v' } : {}),
      ...withValues(attribute),
    })),
  }));
  return { version: 1.1, tags };
}

/** `css.customData` of VS Code. */
export function vsCodeCssData(manifest: Manifest): object {
  const elements = elementsOf(manifest);
  return {
    version: 1.1,
    properties: elements.flatMap(({ cssProperties }) =>
      cssProperties.map((property) => ({ name: property.name, description: markdown(withDefault(property)) })),
    ),
    pseudoElements: elements.flatMap(({ cssParts }) =>
      cssParts.map((part) => ({ name: `::part(${part.name})`, ...described(part) })),
    ),
  };
}

/** Web-Types of JetBrains' editors: github.com/JetBrains/web-types. */
export function webTypes(manifest: Manifest, name: string, version: string): object {
  const elements = elementsOf(manifest).map((element) => ({
    name: element.tagName,
    description: element.description,
    attributes: element.attributes.map((attribute) => ({
      ...plain(attribute),
      value: attributeValue(attribute),
    })),
    slots: element.slots.map(plain),
    js: {
      properties: element.members
        .filter(({ kind }) => kind === 'field')
        .map((field) => ({
          ...plain(field),
          ...(typeOf(field) === undefined ? {} : { type: typeOf(field) }),
          ...(field.readonly ? { 'read-only': true } : {}),
        })),
      events: element.events.map((event) => ({ ...plain(event), type: typeOf(event) })),
    },
    css: {
      properties: element.cssProperties.map((property) => ({
        name: property.name,
        description: withDefault(property),
      })),
      parts: element.cssParts.map(plain),
    },
  }));
  return {
    $schema: 'https://raw.githubusercontent.com/JetBrains/web-types/master/schema/web-types.json',
    name,
    version,
    'js-types-syntax': 'typescript',
    'description-markup': 'markdown',
    contributions: { html: { elements } },
  };
}

function elementsOf({ modules }: Manifest): ElementDeclaration[] {
  return modules.flatMap(({ declarations }) => declarations);
}

function plain({ name, description }: Named): object {
  return description === undefined ? { name } : { name, description };
}

function described({ description }: Named): object {
  return description === undefined ? {} : { description: markdown(description) };
}

function markdown(value: string | undefined): object {
  return { kind: 'markdown', value: value ?? '' };
}

function withDefault({ description = '', default: value }: Named): string {
  return typeof value === 'string' ? `${description}\n\nDefault: \`${value}\`` : description;
}

/** The type without `null`, which an attribute that is absent has. */
function typeOf({ type }: Named): string | undefined {
  const text = (type as { text?: string } | undefined)?.text;
  return text?.replace(/ \| null$/, '');
}

function withValues(attribute: Named): object {
  const values = VALUES[typeOf(attribute) ?? ''];
  return values ? { values: values.map((name) => ({ name })) } : {};
}

function attributeValue(attribute: Named): object {
  const type = typeOf(attribute) ?? 'string';
  if (type === 'boolean') return { kind: 'no-value', type: 'boolean' };
  const values = VALUES[type];
  return { type: values ? values.map((value) => `'${value}'`).join(' | ') : 'string' };
}
