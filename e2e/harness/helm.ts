import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseObjects, type RawObject } from '#e2e/control-plane/raw-api.ts';
import { given } from '#e2e/harness/given.ts';

export const chart = 'deploy/chart';
/** As the documents name it; triggers then find the scaler at the address that every example has. */
export const release = 'external-scaler-sysdig';

/** As a values file would say them. */
export type Values = Readonly<Record<string, unknown>>;

/** Runs helm against the control plane, with values as files, of which a later one wins. Answers what it says; rejects with what it complains of. */
export async function helm(options: readonly string[], ...values: readonly Values[]): Promise<string> {
  const { programs, kubeconfig } = given();
  const folder = mkdtempSync(join(tmpdir(), 'e2e-helm-'));
  try {
    const files = takesValues.has(options[0] ?? '') ? values : [];
    const flags = files.map((one, n) => {
      const file = join(folder, `values-${n}.json`);
      writeFileSync(file, JSON.stringify(one));
      return `--values=${file}`;
    });
    const { PATH } = process.env;
    const { stdout } = await promisify(execFile)(join(programs, 'helm'), [...options, ...flags], {
      env: { PATH, KUBECONFIG: kubeconfig, HOME: folder },
      maxBuffer: 32 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr || String(error), { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const takesValues = new Set(['lint', 'template', 'install', 'upgrade']);

/** What the chart makes of values; rejects with what the schema says. */
export async function rendered(values: Values, namespace = 'keda'): Promise<RawObject[]> {
  return parseObjects(await helm(['template', release, chart, '--namespace', namespace], values));
}
