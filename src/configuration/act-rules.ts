import { environmentName, type Settings } from '#src/configuration/settings.ts';

/** What the features that act on the cluster demand of other settings. */
export function brokenActRules(settings: Settings): string[] {
  const problems: string[] = [];
  const reaper = settings['reaper.mode'];
  const active = [
    settings['surge.mode'] === 'on' ? 'surge' : undefined,
    reaper === 'off' ? undefined : 'reaper',
  ].filter((one) => one !== undefined);
  for (const feature of active) {
    if (settings.clusterName === undefined) {
      problems.push(
        `clusterName (CLUSTER_NAME): expected the name of this cluster, as ${feature} acts only on alerts that are not about another, got nothing`,
      );
    }
    const acts = feature === 'surge' || reaper === 'on';
    if (acts && settings.journal === 'memory:') {
      problems.push(
        `journal (JOURNAL): expected one that lasts, as ${feature} must know after a restart what it has done, got memory:; set sqlite:PATH`,
      );
    }
  }
  if (reaper !== 'off' && settings['reaper.rules'] === undefined) {
    problems.push(
      `${described('reaper.rules')}: expected the rules whose alerts may take a pod away, got nothing; for example "Drop and execute new binary in container"`,
    );
  }
  const never = settings['reaper.neverNamespaces'];
  const both = (settings['reaper.namespaces'] ?? []).filter((namespace) => never.includes(namespace));
  if (both.length > 0) {
    problems.push(
      `${described('reaper.namespaces')}: expected none of ${described('reaper.neverNamespaces')}, got ${both.join(', ')}`,
    );
  }
  return problems;
}

function described(path: string): string {
  return `${path} (${environmentName(path)})`;
}
