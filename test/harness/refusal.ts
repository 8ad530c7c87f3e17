import { Failure } from '#src/failure.ts';

/** What `run` refuses, `code: message`; `no failure` when it does not. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Failure) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return 'no failure';
}
