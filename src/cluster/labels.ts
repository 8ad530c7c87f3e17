const prefix = 'external-scaler-sysdig/';

/** On a workload: `true` lets the reaper act on its pods. */
export const reapLabel = `${prefix}reap`;
/** On a workload or a namespace: `true` stops surge and reap there. */
export const pausedLabel = `${prefix}paused`;
/** On a pod: it was taken out of service and is kept to be looked at. */
export const quarantineLabel = `${prefix}quarantine`;
/** The annotation beside it: the labels that the pod had, as JSON. */
export const formerLabels = `${prefix}former-labels`;
