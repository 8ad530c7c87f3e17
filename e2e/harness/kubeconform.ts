import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parseObjects, type RawObject } from '#e2e/control-plane/raw-api.ts';
import { given } from '#e2e/harness/given.ts';

type Schema = Record<string, unknown>;

/** Rejects with what kubeconform says against the objects: unknown fields and kinds are refused. */
export async function conform(objects: readonly RawObject[]): Promise<void> {
  const { programs, logs } = given();
  const schemas = join(dirname(logs), 'schemas');
  if (!existsSync(schemas)) writeSchemas(programs, schemas);
  const location = join(schemas, '{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json');
  const run = promisify(execFile)(join(programs, 'kubeconform'), [
    '-strict',
    '-schema-location',
    location,
    '-',
  ]);
  run.child.stdin?.end(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await run.catch((error: { stdout?: string }) => {
    throw new Error(error.stdout || String(error), { cause: error });
  });
}

/** One file a kind, from Kubernetes' own OpenAPI document and from the CustomResourceDefinitions of the others. */
function writeSchemas(programs: string, folder: string): void {
  mkdirSync(folder);
  const write = (name: string, schema: Schema) =>
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(schema));
  const { definitions } = JSON.parse(readFileSync(join(programs, 'swagger.json'), 'utf8')) as {
    definitions: Record<string, Schema & { 'x-kubernetes-group-version-kind'?: GroupVersionKind[] }>;
  };
  write('definitions', { definitions: mapped(definitions, closed) as Schema });
  for (const [name, definition] of Object.entries(definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const $ref = `file://${folder}/definitions.json#/definitions/${name}`;
      // In kubeconform's eyes the group of v1 is v1.
      write(`${kind.toLowerCase()}-${group || version}-${version}`, { $ref });
    }
  }
  const crds = join(programs, 'crds');
  for (const { spec } of readdirSync(crds).flatMap((file) =>
    parseObjects(readFileSync(join(crds, file), 'utf8')),
  )) {
    for (const { name, schema } of spec.versions)
      write(`${spec.names.kind.toLowerCase()}-${spec.group}-${name}`, closed(schema.openAPIV3Schema));
  }
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The schema with every object closed to fields that it does not name, and with the numbers that Kubernetes takes for texts. */
function closed(schema: Schema): Schema {
  const { format, properties, items, additionalProperties } = schema;
  if (format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return { type: ['string', 'integer'] };
  const isOpen =
    schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties !== undefined;
  return {
    ...schema,
    ...(properties !== undefined && {
      properties: mapped(properties as Record<string, Schema>, closed),
      ...(!isOpen && { additionalProperties: false }),
    }),
    ...(items !== undefined && { items: closed(items as Schema) }),
    ...(typeof additionalProperties === 'object' &&
      additionalProperties !== null && { additionalProperties: closed(additionalProperties as Schema) }),
  };
}

function mapped<T, R>(record: Record<string, T>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
