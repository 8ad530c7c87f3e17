import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';

interface Stage {
  metadata: { name: string };
  spec: { delay?: unknown };
}

/** On a pod: how long it takes to become Ready, and to be gone; `5s`. */
export const readyAfter = 'e2e/ready-after';
export const goneAfter = 'e2e/gone-after';

const slowedBy: Readonly<Record<string, string>> = { 'pod-ready': readyAfter, 'pod-delete': goneAfter };

/** What kwok does with nodes and pods: its own stages, made slow where a pod asks for it. Answers the file's path. */
export function writeStages(programs: string, folder: string): string {
  const from = join(programs, 'stages');
  const stages = readdirSync(from).flatMap((file) =>
    parseAllDocuments(readFileSync(join(from, file), 'utf8')).map((document) => document.toJS() as Stage),
  );
  for (const { metadata, spec } of stages) {
    const annotation = slowedBy[metadata.name];
    if (annotation === undefined) continue;
    spec.delay = {
      durationMilliseconds: 0,
      durationFrom: { expressionFrom: `.metadata.annotations["${annotation}"]` },
    };
  }
  const path = join(folder, 'stages.yaml');
  writeFileSync(path, stages.map((stage) => stringify(stage)).join('---\n'));
  return path;
}
