// Runs the tests; arguments are ava's.
import { closing, runAva } from '#scripts/run-ava.ts';

const counts = await runAva(process.argv.slice(2));
console.log(closing(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;
