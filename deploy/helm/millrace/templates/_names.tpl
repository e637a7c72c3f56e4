{{/* Name of the release's objects: the release, and the chart unless the release is named after it. At most 40 characters, for the suffixes. */}}
{{- define "millrace.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Key in the values (queryApi) to the name in the cluster (query-api). */}}
{{- define "millrace.component" -}}{{ kebabcase .key }}{{- end }}

{{- define "millrace.name" -}}{{ include "millrace.fullname" .root }}-{{ kebabcase .key }}{{- end }}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: millrace
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ kebabcase .key }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Keys of the services that are enabled, as JSON. */}}
{{- define "millrace.services" -}}
{{- $keys := list "purchase" "sink" }}
{{- if .Values.projector.enabled }}{{ $keys = append $keys "projector" }}{{ end }}
{{- concat $keys (list "queryApi" "queryWorker") | toJson }}
{{- end }}

{{- define "millrace.port" -}}
{{- get (dict "purchase" "3001" "sink" "3002" "queryApi" "3003" "queryWorker" "3004" "projector" "3005") .key }}
{{- end }}

{{- define "millrace.image" -}}
{{- with .root.Values.image.registry }}{{ . }}/{{ end }}millrace-{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "millrace.serviceAccount" -}}
{{- $account := (get .root.Values .key).serviceAccount }}
{{- if $account.create }}{{ $account.name | default (include "millrace.name" .) }}{{ else }}{{ $account.name | default "default" }}{{ end }}
{{- end }}

{{/* Addresses of the parts: those of the values, or the bundled ones. */}}
{{- define "millrace.brokers" -}}
{{- if .Values.bundled.kafka.enabled }}{{ include "millrace.fullname" . }}-kafka:9092{{ else }}{{ join "," .Values.kafka.brokers }}{{ end }}
{{- end }}

{{- define "millrace.redisUrl" -}}
{{- if .Values.bundled.redis.enabled }}redis://{{ include "millrace.fullname" . }}-redis:6379{{ else }}{{ .Values.redis.url }}{{ end }}
{{- end }}

{{- define "millrace.awsEndpoint" -}}
{{- if .Values.bundled.aws.enabled }}http://{{ include "millrace.fullname" . }}-aws:4566{{ else }}{{ .Values.lake.endpoint }}{{ end }}
{{- end }}
