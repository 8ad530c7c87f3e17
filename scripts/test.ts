// Runs the tests; arguments are ava's.
import { runAva } from '#scripts/run-ava.ts';

process.exitCode = (await runAva(process.argv.slice(2))) > 0 ? 1 : 0;
