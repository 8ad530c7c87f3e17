// Writes the tables of docs/ from the schemas in code, so that they cannot drift. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Feature, featureNames, permissionsOf } from '#src/cluster/features.ts';
import {
  accountSettings,
  credentialSettings,
  environmentName,
  settings,
} from '#src/configuration/settings.ts';
import { falcoSchema } from '#src/triggers/falco-schema.ts';
import { sysdigSchema } from '#src/triggers/sysdig-schema.ts';

type Shape = Record<string, z.ZodType>;

const pages: Record<string, Record<string, string>> = {
  'docs/triggers.md': {
    sysdig: table(
      ['Key', 'Default', 'Meaning'],
      rows(sysdigSchema.shape, (key) => [code(key)]),
    ),
    falco: table(
      ['Key', 'Default', 'Meaning'],
      rows(falcoSchema.shape, (key) => [code(key)]),
    ),
  },
  'docs/configuration.md': {
    settings: table(
      ['Setting', 'Environment', 'Default', 'Meaning'],
      rows(settings.shape, (path) => [code(path), code(environmentName(path))]),
    ),
    account: table(
      ['Setting', 'Environment', 'Default', 'Meaning'],
      rows(accountSettings.shape, (key) => [code(key), code(environmentName(`sysdig.${key}`))]),
    ),
    credential: table(
      ['Setting', 'Environment', 'Default', 'Meaning'],
      rows(credentialSettings.shape, (key) => [code(key), code(environmentName(`ingest.${key}`))]),
    ),
  },
  'docs/permissions.md': {
    permissions: table(
      ['Feature', 'API group', 'Resource', 'Verbs', 'Where'],
      featureNames.flatMap((feature) => permissionRows(feature)),
    ),
  },
};

pages['README.md'] = { triggers: table(['Key', 'Source', 'Default', 'Meaning'], triggerRows()) };
pages['deploy/chart/README.md'] = {
  values: table(['Key', 'Type', 'Default', 'Description'], valueRows('deploy/chart/values.yaml')),
};

for (const [path, tables] of Object.entries(pages)) {
  const now = readFileSync(path, 'utf8');
  let wanted = now;
  for (const [name, text] of Object.entries(tables)) {
    const between = new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end -->)`);
    if (!between.test(now)) throw new Error(`${path}: expected the marks of the table ${name}`);
    wanted = wanted.replace(between, (_, open: string, close: string) => `${open}\n${text}\n${close}`);
  }
  if (wanted === now) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is out of date; run make generate`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, wanted);
  }
}

/** The keys of all sources, each with the first sentence of what it means. */
function triggerRows(): string[][] {
  const shapes: Record<string, Shape> = { sysdig: sysdigSchema.shape, falco: falcoSchema.shape };
  const found = new Map<string, string[]>();
  for (const [source, shape] of Object.entries(shapes)) {
    for (const [key, standard = '', meaning = ''] of rows(shape, (one) => [code(one)])) {
      if (key === undefined || key === code('source')) continue;
      const [brief = ''] = meaning.split(/(?<=[.:]) (?=[A-Z])/);
      const same = found.get(key);
      if (same?.[2] === standard && same[3] === brief) same[1] += `, ${source}`;
      else found.set(same === undefined ? key : `${key} ${source}`, [key, source, standard, brief]);
    }
  }
  return [[code('source'), '', '', `${Object.keys(shapes).map(code).join(' or ')}.`], ...found.values()];
}

/** Keys that a comment `# -- …` stands above, as helm-docs reads them. */
function valueRows(path: string): string[][] {
  const text = readFileSync(path, 'utf8');
  const values = parseDocument(text);
  const found: string[][] = [];
  const parents: string[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const [, note] = /^ *# (.*)$/.exec(line) ?? [];
    if (note !== undefined) {
      if (note.startsWith('-- ')) comment = [note.slice(3)];
      else if (comment.length > 0) comment.push(note);
      continue;
    }
    const [, indentation = '', key] = /^( *)([A-Za-z]+):/.exec(line) ?? [];
    if (key === undefined) continue;
    parents.length = indentation.length / 2;
    parents.push(key);
    if (comment.length > 0) {
      const value: unknown = values.getIn(parents, true);
      const plain = (value as { toJSON?(): unknown } | undefined)?.toJSON?.() ?? null;
      found.push([code(parents.join('.')), typeName(plain), code(JSON.stringify(plain)), comment.join(' ')]);
    }
    comment = [];
  }
  return found;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || value === null) return 'int';
  return typeof value === 'string' ? 'string' : 'object';
}

function permissionRows(feature: Feature): string[][] {
  const verbs = new Map<string, string[]>();
  for (const { verb, group, resource, namespace = 'everywhere', name } of permissionsOf(feature, 'home')) {
    const named = name === undefined ? resource : `${resource} ${name}`;
    const key = JSON.stringify([feature, group || 'core', named, namespace]);
    verbs.set(key, [...(verbs.get(key) ?? []), verb]);
  }
  return Array.from(verbs, ([key, of]) => {
    const [name, group, resource, where] = JSON.parse(key) as string[];
    return [code(name ?? ''), group ?? '', code(resource ?? ''), of.join(', '), where ?? ''];
  });
}

function rows(shape: Shape, cells: (key: string) => string[]): string[][] {
  return Object.entries(shape).map(([key, field]) => [
    ...cells(key),
    defaultOf(field),
    field.description ?? '',
  ]);
}

function defaultOf(field: z.ZodType): string {
  const { def } = field as unknown as { def: { type: string; defaultValue?: unknown } };
  return def.type === 'prefault' ? code(String(def.defaultValue)) : '';
}

function table(head: string[], body: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...body].map(line).join('');
}

function code(text: string): string {
  return `\`${text}\``;
}
