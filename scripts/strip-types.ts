// For the image: node scripts/strip-types.ts src /app/src writes every module as JavaScript. Node.js itself takes the
// types out and leaves blanks, so the lines and columns of a stack trace are those of the source. Done once, no start
// waits for it, and no process keeps the 40 MB of what does it.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('expected two folders: FROM TO');

for (const file of globSync('**/*.ts', { cwd: from, exclude: ['**/*.d.ts'] })) {
  const target = join(to, file.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, compiled(readFileSync(join(from, file), 'utf8'), file));
}

/** The one thing that blanks do not do: what is imported is called .js now. */
function compiled(source: string, file: string): string {
  const script = stripTypeScriptTypes(source).replace(
    /(\bfrom |\bimport |\bimport\()'([#.][^']*)\.ts'/g,
    "$1'$2.js'",
  );
  const left = /'[#.]+\/?[\w/.-]+\.ts'/.exec(script);
  if (left) throw new Error(`${file}: expected an import that can be renamed to .js, got ${left[0]}`);
  return script;
}
