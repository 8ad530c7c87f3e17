const prefix = 'external-scaler-sysdig/';

/** On a workload: `true` lets the reaper act on its pods. */
export const reapLabel = `${prefix}reap`;
/** On a workload or a namespace: `true` stops surge and reap there. */
export const pausedLabel = `${prefix}paused`;
/** On a pod: it was taken out of service and is kept to be looked at. */
export const quarantineLabel = `${prefix}quarantine`;
/** The annotation beside it: the labels that the pod had, as JSON. */
export const formerLabels = `${prefix}former-labels`;
/** The label that says of which workload: `deployment.checkout`, cut to what a label may hold. */
export const quarantinedFrom = `${prefix}quarantined-from`;
/** The annotation that says since when, ISO 8601. */
export const quarantinedAt = `${prefix}quarantined-at`;
