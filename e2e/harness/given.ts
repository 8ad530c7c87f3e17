import { readFileSync } from 'node:fs';
import type { ControlPlane } from '#e2e/control-plane/control-plane.ts';

/** What e2e/main.ts gives its cases: the variable names a JSON file. */
export const variable = 'E2E_CONTROL_PLANE';

export interface Given extends ControlPlane {
  /** The folder with helm and the rest. */
  readonly programs: string;
  /** Where timings are reported, a line of JSON each. */
  readonly timings: string;
}

export function given(): Given {
  const path = process.env[variable];
  if (path === undefined) throw new Error('the cases need a control plane: run them with make e2e');
  return JSON.parse(readFileSync(path, 'utf8')) as Given;
}
