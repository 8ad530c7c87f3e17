/** What matters of an alert; the rest is filled in as Falco would. */
export interface AlertParts {
  readonly namespace?: string | null;
  readonly pod?: string | null;
  readonly podUid?: string;
  readonly rule?: string;
  readonly priority?: string;
  readonly source?: string;
  readonly tags?: readonly string[];
  /** Epoch ms. */
  readonly at?: number;
  readonly hostname?: string;
}

/** An alert as Falco's http_output posts it, of the usual size: about 1.2 KB. */
export function falcoAlert({
  namespace = 'shop',
  pod = 'checkout-7d9f8b6c5d-x2x4z',
  podUid,
  rule = 'Drop and execute new binary in container',
  priority = 'Critical',
  source = 'syscall',
  tags = ['PCI_DSS_11.5.1', 'TA0003', 'container', 'maturity_stable', 'mitre_persistence', 'process'],
  at = Date.now(),
  hostname = 'node-1',
}: AlertParts = {}): Record<string, unknown> {
  const time = new Date(at).toISOString().replace('Z', '123456Z');
  return {
    hostname,
    output: `${time}: ${priority} Executing binary not part of base image | proc_exe=/tmp/.x/kinsing proc_sname=sh gparent=containerd-shim proc_exe_ino_ctime=1760000000000000000 evt_type=execve user=root user_uid=0 user_loginuid=-1 process=kinsing proc_exepath=/tmp/.x/kinsing parent=sh command=kinsing -c /tmp/.x/config.json terminal=0 exe_flags=EXE_WRITABLE|EXE_UPPER_LAYER container_id=4f2b8a9c1d3e container_name=app k8s_pod_name=${pod ?? '<NA>'} k8s_ns_name=${namespace ?? '<NA>'}`,
    output_fields: {
      'container.id': pod === null ? 'host' : '4f2b8a9c1d3e',
      'container.image.repository': 'registry.example/shop/app',
      'container.image.tag': '1.42.0',
      'container.name': 'app',
      'evt.arg.flags': 'EXE_WRITABLE|EXE_UPPER_LAYER',
      'evt.time': at * 1_000_000,
      'evt.type': 'execve',
      'k8s.ns.name': namespace,
      'k8s.pod.name': pod,
      ...(podUid === undefined ? {} : { 'k8s.pod.uid': podUid }),
      'proc.cmdline': 'kinsing -c /tmp/.x/config.json',
      'proc.exe_ino.ctime': 1_760_000_000_000_000_000,
      'proc.exepath': '/tmp/.x/kinsing',
      'proc.name': 'kinsing',
      'proc.pname': 'sh',
      'proc.tty': 0,
      'user.loginuid': -1,
      'user.name': 'root',
      'user.uid': 0,
    },
    priority,
    rule,
    source,
    tags,
    time,
  };
}

/** The name of a Deployment's pod, another for each number below 3.2 million, of the letters that Kubernetes draws from. */
export function podName(deployment: string, number: number): string {
  const digits = number.toString(20).padStart(5, '0');
  const letters = digits.replace(/./g, (digit) => 'bcdfghjklmnpqrstvwxz'.charAt(Number.parseInt(digit, 20)));
  return `${deployment}-7d9f8b6c5d-${letters}`;
}
