import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { given } from '#e2e/harness/given.ts';

/** Runs kubectl against the control plane. Answers what it says; rejects with what it complains of. */
export async function kubectl(options: readonly string[], input = ''): Promise<string> {
  const { programs, kubeconfig } = given();
  const { PATH, HOME } = process.env;
  const run = promisify(execFile)(join(programs, 'kubectl'), options, {
    env: { PATH, HOME, KUBECONFIG: kubeconfig },
    maxBuffer: 32 * 1024 * 1024,
  });
  run.child.stdin?.end(input);
  const { stdout } = await run.catch((error: { stderr?: string }) => {
    throw new Error(error.stderr || String(error), { cause: error });
  });
  return stdout;
}
