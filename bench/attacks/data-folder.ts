import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for a journal and the ingest's token, and the settings that point a scaler at them. */
export interface DataFolder {
  readonly path: string;
  readonly token: string;
  readonly settings: Readonly<Record<string, string>>;
  remove(): void;
}

export function dataFolder(): DataFolder {
  const path = mkdtempSync(join(tmpdir(), 'external-scaler-bench-'));
  const token = 'an-ingest-token';
  writeFileSync(join(path, 'token'), token);
  return {
    path,
    token,
    settings: { JOURNAL: `sqlite:${join(path, 'journal.db')}`, INGEST_TOKEN_FILE: join(path, 'token') },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
