{{- define "external-scaler-sysdig.secretsFolder" -}}
/var/run/secrets/external-scaler-sysdig
{{- end -}}

{{/* A map as YAML without what is not set; false and 0 are set. */}}
{{- define "external-scaler-sysdig.given" -}}
{{- $given := dict -}}
{{- range $key, $value := . -}}
{{- if or (not (empty $value)) (kindIs "bool" $value) (kindIs "float64" $value) (kindIs "int64" $value) -}}
{{- $_ := set $given $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $given -}}
{{- end -}}

{{/* Every Sysdig account by name, `sysdig` for the unnamed one, if any. */}}
{{- define "external-scaler-sysdig.accounts" -}}
{{- $accounts := deepCopy .Values.accounts -}}
{{- if or .Values.sysdig.region .Values.sysdig.url -}}
{{- $_ := set $accounts "sysdig" .Values.sysdig -}}
{{- end -}}
{{- toYaml $accounts -}}
{{- end -}}

{{/* One account as the configuration has it. `folder`: of all secrets. */}}
{{- define "external-scaler-sysdig.account" -}}
{{- $settings := omit .account "existingSecret" "existingSecretKey" "caSecret" -}}
{{- $_ := set $settings (ternary "ibmApiKeyFile" "tokenFile" (not (empty .account.ibmInstanceId))) (printf "%s/account-%s/token" .folder .name) -}}
{{- if .account.caSecret -}}
{{- $_ := set $settings "caFile" (printf "%s/sysdig-ca-%s/ca.crt" .folder .name) -}}
{{- end -}}
{{- include "external-scaler-sysdig.given" $settings -}}
{{- end -}}

{{/* The configuration file: the values under the names that the scaler knows them by. */}}
{{- define "external-scaler-sysdig.configuration" -}}
{{- $folder := include "external-scaler-sysdig.secretsFolder" . -}}
{{- $host := ternary (printf "[%s]" .Values.listenHost) .Values.listenHost (contains ":" .Values.listenHost) -}}
{{- $configuration := pick .Values "clusterName" "watchNamespaces" "attacksAcrossNamespaces" "logLevel" "upstreamTimeout" "sensorMaxSilence" -}}
{{- range $section := list "surge" "reaper" "quarantine" -}}
{{- $_ := set $configuration $section (include "external-scaler-sysdig.given" (index $.Values $section) | fromYaml) -}}
{{- end -}}

{{- $grpc := dict "address" (printf "%s:6000" $host) "answerTimeout" .Values.grpc.answerTimeout -}}
{{- $ingest := dict -}}
{{- $certificate := dict "certFile" (printf "%s/tls/tls.crt" $folder) "keyFile" (printf "%s/tls/tls.key" $folder) -}}
{{- if include "external-scaler-sysdig.certificateSecret" . -}}
{{- $tls := deepCopy $certificate -}}
{{- if .Values.certificates.mutual -}}
{{- $_ := set $tls "clientCaFile" (printf "%s/tls/ca.crt" $folder) -}}
{{- with .Values.grpc.allowedNames }}{{ $_ := set $tls "allowedNames" . }}{{ end -}}
{{- end -}}
{{- $_ := set $grpc "tls" $tls -}}
{{- end -}}
{{- $_ := set $configuration "grpc" $grpc -}}

{{- if include "external-scaler-sysdig.hasIngest" . -}}
{{- $_ := set $ingest "address" (printf "%s:6001" $host) -}}
{{- if .Values.ingest.tls.enabled -}}
{{- $tls := deepCopy $certificate -}}
{{- if .Values.ingest.tls.clientCaSecret -}}
{{- $_ := set $tls "clientCaFile" (printf "%s/senders-ca/ca.crt" $folder) -}}
{{- end -}}
{{- $_ := set $ingest "tls" $tls -}}
{{- end -}}
{{- $credentials := dict -}}
{{- range $name, $credential := .Values.ingest.credentials -}}
{{- $settings := omit $credential "existingSecret" "existingSecretKey" -}}
{{- if $credential.existingSecret -}}
{{- $_ := set $settings "tokenFile" (printf "%s/ingest-%s/token" $folder $name) -}}
{{- end -}}
{{- $_ := set $credentials $name (include "external-scaler-sysdig.given" $settings | fromYaml) -}}
{{- end -}}
{{- $_ := set $ingest "credentials" $credentials -}}
{{- $_ := set $configuration "ingest" $ingest -}}
{{- end -}}

{{- $named := dict -}}
{{- range $name, $account := include "external-scaler-sysdig.accounts" . | fromYaml -}}
{{- $settings := include "external-scaler-sysdig.account" (dict "name" $name "account" $account "folder" $folder) | fromYaml -}}
{{- if eq $name "sysdig" -}}
{{- $_ := set $configuration "sysdig" $settings -}}
{{- else -}}
{{- $_ := set $named $name $settings -}}
{{- end -}}
{{- end -}}
{{- if $named }}{{ $_ := set $configuration "accounts" $named }}{{ end -}}

{{- $operations := dict "address" (printf "%s:6002" $host) -}}
{{- if .Values.operations.existingSecret -}}
{{- $_ := set $operations "tokenFile" (printf "%s/operations/token" $folder) -}}
{{- end -}}
{{- $_ := set $configuration "operations" $operations -}}

{{- $_ := set $configuration "journal" (get (dict "sqlite" "sqlite:/data/journal.db" "memory" "memory:" "redis" .Values.journal.url) .Values.journal.type) -}}
{{- $_ := set $configuration "journalRetention" .Values.journal.retention -}}
{{- $_ := set $configuration "journalMaxSize" .Values.journal.maxSize -}}
{{- include "external-scaler-sysdig.given" $configuration -}}
{{- end -}}
