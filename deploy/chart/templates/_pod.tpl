{{/* A Secret as a folder: name, secret, and items (the Secret's key → the file's name). */}}
{{- define "external-scaler-sysdig.secretVolume" -}}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      {{- range $key, $path := .items }}
      - key: {{ $key }}
        path: {{ $path }}
      {{- end }}
{{- end -}}

{{/* All that is mounted under the folder of secrets, each in a folder of its volume's name. */}}
{{- define "external-scaler-sysdig.secretVolumes" -}}
{{- range $name, $account := include "external-scaler-sysdig.accounts" . | fromYaml }}
{{ include "external-scaler-sysdig.secretVolume" (dict "name" (printf "account-%s" $name) "secret" $account.existingSecret "items" (dict (default "token" $account.existingSecretKey) "token")) }}
{{- if $account.caSecret }}
{{ include "external-scaler-sysdig.secretVolume" (dict "name" (printf "sysdig-ca-%s" $name) "secret" $account.caSecret "items" (dict "ca.crt" "ca.crt")) }}
{{- end }}
{{- end }}
{{- range $name, $credential := .Values.ingest.credentials }}
{{- if $credential.existingSecret }}
{{ include "external-scaler-sysdig.secretVolume" (dict "name" (printf "ingest-%s" $name) "secret" $credential.existingSecret "items" (dict (default "token" $credential.existingSecretKey) "token")) }}
{{- end }}
{{- end }}
{{- if and .Values.ingest.tls.enabled .Values.ingest.tls.clientCaSecret }}
{{ include "external-scaler-sysdig.secretVolume" (dict "name" "senders-ca" "secret" .Values.ingest.tls.clientCaSecret "items" (dict "ca.crt" "ca.crt")) }}
{{- end }}
{{- if .Values.operations.existingSecret }}
{{ include "external-scaler-sysdig.secretVolume" (dict "name" "operations" "secret" .Values.operations.existingSecret "items" (dict "token" "token")) }}
{{- end }}
{{- with include "external-scaler-sysdig.certificateSecret" . }}
{{- $items := dict "tls.crt" "tls.crt" "tls.key" "tls.key" }}
{{- if $.Values.certificates.mutual }}{{ $_ := set $items "ca.crt" "ca.crt" }}{{ end }}
{{ include "external-scaler-sysdig.secretVolume" (dict "name" "tls" "secret" . "items" $items) }}
{{- end }}
{{- end -}}

{{/* The kubelet's gRPC probes speak no TLS. */}}
{{- define "external-scaler-sysdig.probe" -}}
{{- if include "external-scaler-sysdig.certificateSecret" . -}}
httpGet: {path: /readyz, port: operations}
{{- else -}}
grpc: {port: 6000}
{{- end }}
{{- end -}}

{{- define "external-scaler-sysdig.podTemplate" -}}
{{- $secretVolumes := include "external-scaler-sysdig.secretVolumes" . | fromYamlArray -}}
metadata:
  labels:
    {{- include "external-scaler-sysdig.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # The configuration is read at the start only; Secrets are read again when they change.
    checksum/configuration: {{ include "external-scaler-sysdig.configuration" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ include "external-scaler-sysdig.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.cluster.enabled }}
  enableServiceLinks: false
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: scaler
      image: {{ include "external-scaler-sysdig.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      env:
        - name: CONFIG_FILE
          value: /etc/external-scaler-sysdig/config.yaml
      ports:
        - name: grpc
          containerPort: 6000
        {{- if include "external-scaler-sysdig.hasIngest" . }}
        - name: ingest
          containerPort: 6001
        {{- end }}
        - name: operations
          containerPort: 6002
      # A long journal is read before the first answer.
      startupProbe:
        {{- include "external-scaler-sysdig.probe" . | nindent 8 }}
        periodSeconds: 1
        failureThreshold: 120
      readinessProbe:
        {{- include "external-scaler-sysdig.probe" . | nindent 8 }}
        periodSeconds: 5
      livenessProbe:
        httpGet: {path: /healthz, port: operations}
        periodSeconds: 10
        timeoutSeconds: 5
      {{- if include "external-scaler-sysdig.isReplicated" . }}
      # KEDA goes on calling until the endpoint's withdrawal has reached it.
      lifecycle:
        preStop:
          sleep: {seconds: 5}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: configuration
          mountPath: /etc/external-scaler-sysdig
          readOnly: true
        {{- if include "external-scaler-sysdig.isStateful" . }}
        - name: journal
          mountPath: /data
        {{- end }}
        {{- range $secretVolumes }}
        - name: {{ .name }}
          mountPath: {{ include "external-scaler-sysdig.secretsFolder" $ }}/{{ .name }}
          readOnly: true
        {{- end }}
  volumes:
    - name: configuration
      configMap:
        name: {{ include "external-scaler-sysdig.fullname" . }}-configuration
    {{- if include "external-scaler-sysdig.isStateful" . }}
    - name: journal
      persistentVolumeClaim:
        claimName: {{ include "external-scaler-sysdig.claimName" . }}
    {{- end }}
    {{- with $secretVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if include "external-scaler-sysdig.isReplicated" . }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "external-scaler-sysdig.selectorLabels" $ | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end -}}
