{{/* One variable, or none where the value is empty. */}}
{{- define "millrace.variable" -}}
{{- if .value }}
- name: {{ .name }}
  value: {{ .value | toString | quote }}
{{- end }}
{{- end }}

{{- define "millrace.secretVariable" -}}
- name: {{ .name }}
  valueFrom: { secretKeyRef: { name: {{ .secret }}, key: {{ .key }} } }
{{- end }}

{{- define "millrace.kafkaSettings" -}}
{{- $kafka := .Values.kafka }}
- name: KAFKA_BROKERS
  value: {{ include "millrace.brokers" . | quote }}
{{- if $kafka.tls.enabled }}
- name: KAFKA_TLS
  value: 'true'
{{- end }}
{{- if $kafka.tls.ca.existingSecret }}
- name: KAFKA_TLS_CA_FILE
  value: /etc/millrace/kafka-ca/{{ $kafka.tls.ca.key }}
{{- end }}
{{- if $kafka.tls.client.existingSecret }}
- name: KAFKA_TLS_CERT_FILE
  value: /etc/millrace/kafka-client/{{ $kafka.tls.client.certKey }}
- name: KAFKA_TLS_KEY_FILE
  value: /etc/millrace/kafka-client/{{ $kafka.tls.client.keyKey }}
{{- end }}
{{- include "millrace.variable" (dict "name" "KAFKA_TLS_SERVER_NAME" "value" $kafka.tls.serverName) }}
{{- include "millrace.variable" (dict "name" "KAFKA_SASL_MECHANISM" "value" $kafka.sasl.mechanism) }}
{{- include "millrace.variable" (dict "name" "KAFKA_SASL_USERNAME" "value" $kafka.sasl.username) }}
{{- if $kafka.sasl.existingSecret }}
- name: KAFKA_SASL_PASSWORD_FILE
  value: /etc/millrace/kafka-login/{{ $kafka.sasl.passwordKey }}
{{- end }}
{{- include "millrace.variable" (dict "name" "KAFKA_OAUTH_TOKEN_URL" "value" $kafka.oauth.tokenUrl) }}
{{- include "millrace.variable" (dict "name" "KAFKA_OAUTH_CLIENT_ID" "value" $kafka.oauth.clientId) }}
{{- include "millrace.variable" (dict "name" "KAFKA_OAUTH_SCOPE" "value" $kafka.oauth.scope) }}
{{- if $kafka.oauth.existingSecret }}
- name: KAFKA_OAUTH_CLIENT_SECRET_FILE
  value: /etc/millrace/kafka-oauth/{{ $kafka.oauth.clientSecretKey }}
{{- end }}
{{- end }}

{{- define "millrace.redisSettings" -}}
{{- $redis := .Values.redis }}
{{- if and $redis.existingSecret (not .Values.bundled.redis.enabled) }}
{{ include "millrace.secretVariable" (dict "name" "REDIS_URL" "secret" $redis.existingSecret "key" $redis.urlKey) }}
{{- else }}
{{- include "millrace.variable" (dict "name" "REDIS_URL" "value" (include "millrace.redisUrl" .)) }}
{{- end }}
{{- if $redis.tls.ca.existingSecret }}
- name: REDIS_TLS_CA_FILE
  value: /etc/millrace/redis-ca/{{ $redis.tls.ca.key }}
{{- end }}
{{- if $redis.tls.client.existingSecret }}
- name: REDIS_TLS_CERT_FILE
  value: /etc/millrace/redis-client/{{ $redis.tls.client.certKey }}
- name: REDIS_TLS_KEY_FILE
  value: /etc/millrace/redis-client/{{ $redis.tls.client.keyKey }}
{{- end }}
{{- end }}

{{- define "millrace.lakeSettings" -}}
{{- $lake := .Values.lake }}
- name: AWS_REGION
  value: {{ $lake.region | quote }}
- name: LAKE_BUCKET
  value: {{ $lake.bucket | quote }}
- name: LAKE_DATABASE
  value: {{ $lake.database | quote }}
{{- include "millrace.variable" (dict "name" "LAKE_PREFIX" "value" $lake.prefix) }}
{{- include "millrace.variable" (dict "name" "LAKE_KMS_KEY" "value" $lake.kmsKey) }}
{{- include "millrace.variable" (dict "name" "LAKE_BUCKET_OWNER" "value" $lake.bucketOwner) }}
{{- include "millrace.variable" (dict "name" "LAKE_TAGS" "value" (join "," $lake.tags)) }}
{{- include "millrace.variable" (dict "name" "AWS_ENDPOINT_URL" "value" (include "millrace.awsEndpoint" .)) }}
{{- include "millrace.variable" (dict "name" "AWS_ENDPOINT_URL_S3" "value" $lake.s3Endpoint) }}
{{- if .Values.bundled.aws.enabled }}
- name: AWS_ACCESS_KEY_ID
  value: test
- name: AWS_SECRET_ACCESS_KEY
  value: test
{{- else if $lake.existingSecret }}
{{ include "millrace.secretVariable" (dict "name" "AWS_ACCESS_KEY_ID" "secret" $lake.existingSecret "key" $lake.accessKeyIdKey) }}
{{ include "millrace.secretVariable" (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" $lake.existingSecret "key" $lake.secretAccessKeyKey) }}
{{- end }}
{{- end }}

{{- define "millrace.authSettings" -}}
{{- $auth := .Values.auth }}
{{- if $auth.apiKeys.existingSecret }}
- name: MILLRACE_AUTH_API_KEYS_FILE
  value: /etc/millrace/api-keys/{{ $auth.apiKeys.key }}
{{- end }}
{{- include "millrace.variable" (dict "name" "MILLRACE_AUTH_JWKS_URL" "value" $auth.jwt.jwksUrl) }}
{{- include "millrace.variable" (dict "name" "MILLRACE_AUTH_JWT_ISSUER" "value" $auth.jwt.issuer) }}
{{- include "millrace.variable" (dict "name" "MILLRACE_AUTH_JWT_AUDIENCE" "value" $auth.jwt.audience) }}
- name: MILLRACE_DRAIN_DELAY_MS
  value: {{ int64 .Values.drainDelayMs | quote }}
{{- end }}

{{/* The environment of one service. */}}
{{- define "millrace.environment" -}}
{{- $values := get .root.Values .key }}
{{- $port := include "millrace.port" . }}
{{- include "millrace.authSettings" .root }}
{{ include "millrace.lakeSettings" .root }}
{{- if has .key (list "purchase" "sink" "queryApi") }}
{{ include "millrace.kafkaSettings" .root }}
{{- end }}
{{- if has .key (list "purchase" "queryApi" "queryWorker") }}
{{- include "millrace.redisSettings" .root }}
{{- end }}
{{- if eq .key "purchase" }}
- { name: PURCHASE_HOST, value: 0.0.0.0 }
- { name: PURCHASE_PORT, value: {{ $port | quote }} }
{{- if $values.outbox.enabled }}
- { name: PURCHASE_OUTBOX_DIR, value: /var/lib/millrace/outbox }
{{- end }}
{{- if $values.firehose.existingSecret }}
- { name: PURCHASE_FIREHOSE_KEYS_FILE, value: /etc/millrace/firehose/{{ $values.firehose.key }} }
{{- end }}
{{- else if eq .key "sink" }}
- { name: SINK_HOST, value: 0.0.0.0 }
- { name: SINK_PORT, value: {{ $port | quote }} }
- { name: MILLRACE_HOME, value: /var/lib/millrace }
{{- else if eq .key "projector" }}
- { name: SINK_HOST, value: 0.0.0.0 }
- { name: PROJECTOR_PORT, value: {{ $port | quote }} }
- { name: MILLRACE_HOME, value: /var/lib/millrace }
{{- else }}
- { name: QUERY_HOST, value: 0.0.0.0 }
- { name: {{ eq .key "queryApi" | ternary "QUERY_PORT" "QUERY_WORKER_PORT" }}, value: {{ $port | quote }} }
- { name: QUERY_ENGINES, value: {{ join "," .root.Values.query.engines | quote }} }
{{- include "millrace.variable" (dict "name" "TRINO_URL" "value" .root.Values.query.trinoUrl) }}
{{- with .root.Values.query.idSecret }}
{{- if .existingSecret }}
{{ include "millrace.secretVariable" (dict "name" "QUERY_ID_SECRET" "secret" .existingSecret "key" .key) }}
{{- end }}
{{- end }}
{{- if eq .key "queryWorker" }}
- { name: TMPDIR, value: /var/lib/millrace }
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) $values.settings .root.Values.settings }}
{{- include "millrace.variable" (dict "name" $name "value" $value) }}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Secrets that one process reads as files: a list of {name, secret} as JSON. */}}
{{- define "millrace.secretFiles" -}}
{{- $v := .root.Values }}
{{- $files := list }}
{{- if ne .key "setUp" }}{{ $files = append $files (dict "name" "api-keys" "secret" $v.auth.apiKeys.existingSecret) }}{{ end }}
{{- if has .key (list "purchase" "sink" "queryApi" "setUp") }}
{{- $files = append $files (dict "name" "kafka-ca" "secret" $v.kafka.tls.ca.existingSecret) }}
{{- $files = append $files (dict "name" "kafka-client" "secret" $v.kafka.tls.client.existingSecret) }}
{{- $files = append $files (dict "name" "kafka-login" "secret" $v.kafka.sasl.existingSecret) }}
{{- $files = append $files (dict "name" "kafka-oauth" "secret" $v.kafka.oauth.existingSecret) }}
{{- end }}
{{- if has .key (list "purchase" "queryApi" "queryWorker") }}
{{- $files = append $files (dict "name" "redis-ca" "secret" $v.redis.tls.ca.existingSecret) }}
{{- $files = append $files (dict "name" "redis-client" "secret" $v.redis.tls.client.existingSecret) }}
{{- end }}
{{- if eq .key "purchase" }}{{ $files = append $files (dict "name" "firehose" "secret" $v.purchase.firehose.existingSecret) }}{{ end }}
{{- $used := list }}
{{- range $files }}{{ if .secret }}{{ $used = append $used . }}{{ end }}{{ end }}
{{- $used | toJson }}
{{- end }}
