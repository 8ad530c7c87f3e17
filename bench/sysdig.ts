import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SysdigFake, startSysdigFake } from '#test/harness/sysdig-fake.ts';

/** A stand-in for Sysdig, and the settings that point a scaler at it. */
export interface Sysdig {
  readonly fake: SysdigFake;
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startSysdig(): Promise<Sysdig> {
  const fake = await startSysdigFake({ record: false, rateLimit: 100_000 });
  const folder = mkdtempSync(join(tmpdir(), 'external-scaler-bench-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${fake.token}\n`);
  return {
    fake,
    settings: { SYSDIG_URL: fake.baseUrl, SYSDIG_TOKEN_FILE: tokenFile },
    async stop() {
      await fake.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
