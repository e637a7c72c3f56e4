{{/* Refuses values that the schema cannot refuse: each message has the fact and the remedy. */}}
{{- define "millrace.validate" -}}
{{- if not (include "millrace.brokers" .) }}{{ fail "No Kafka is named: set kafka.brokers, or bundled.kafka.enabled for a trial." }}{{ end }}
{{- if not (or (include "millrace.redisUrl" .) .Values.redis.existingSecret) }}
{{- fail "No Redis is named: set redis.url or redis.existingSecret, or bundled.redis.enabled for a trial." }}
{{- end }}
{{- if not .Values.lake.bucket }}{{ fail "No bucket is named: set lake.bucket." }}{{ end }}
{{- if not (or .Values.auth.apiKeys.existingSecret .Values.auth.jwt.jwksUrl) }}
{{- fail "Authentication is off: set auth.apiKeys.existingSecret or auth.jwt.jwksUrl. The services refuse to listen without it." }}
{{- end }}
{{- if and .Values.setUp.enabled .Values.setUp.hook .Values.bundled.kafka.enabled }}
{{- fail "The hook of the set-up runs before the bundled Kafka: set setUp.hook to false." }}
{{- end }}
{{- if and .Values.ingress.enabled (not (or .Values.ingress.purchaseHost .Values.ingress.queryHost)) }}
{{- fail "The ingress has no host: set ingress.purchaseHost or ingress.queryHost." }}
{{- end }}
{{- end }}
