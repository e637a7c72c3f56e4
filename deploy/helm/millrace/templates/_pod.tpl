{{- define "millrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "millrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where the pods of a process may run. */}}
{{- define "millrace.placement" -}}
{{- $values := get .root.Values .key }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Metadata and spec of the pods of one service. `scratch` is the size of its volume that ends with the pod, `claim` whether it has one that stays. */}}
{{- define "millrace.podTemplate" -}}
{{- $values := get .root.Values .key }}
metadata:
  labels:
    {{- include "millrace.selector" . | nindent 4 }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $values.podAnnotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "millrace.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
  securityContext: {{ include "millrace.podSecurity" . | nindent 4 }}
  {{- include "millrace.placement" . | nindent 2 }}
  topologySpreadConstraints:
  {{- $context := . }}
  {{- range .root.Values.topologySpread }}
    - {{ toYaml . | nindent 6 | trim }}
      labelSelector: { matchLabels: { {{ include "millrace.selector" $context | replace "\n" ", " }} } }
  {{- end }}
  containers:
    - name: {{ kebabcase .key }}
      image: {{ include "millrace.image" (dict "root" .root "name" (kebabcase .key)) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      ports: [{ name: http, containerPort: {{ include "millrace.port" . }} }]
      env: {{ include "millrace.environment" . | trim | nindent 8 }}
      # The service listens before its dependencies answer; a spool of an earlier run is read first.
      startupProbe:
        httpGet: { path: /health/live, port: http }
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: 150
      livenessProbe:
        httpGet: { path: /health/live, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # The answer may itself wait for a dependency.
      readinessProbe:
        httpGet: { path: /health/ready, port: http }
        periodSeconds: 5
        timeoutSeconds: 10
        failureThreshold: 2
      resources: {{ toYaml $values.resources | nindent 8 }}
      securityContext: {{ include "millrace.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if or .scratch .claim }}
        - { name: data, mountPath: /var/lib/millrace }
        {{- end }}
        {{- range include "millrace.secretFiles" . | fromJsonArray }}
        - { name: {{ .name }}, mountPath: /etc/millrace/{{ .name }}, readOnly: true }
        {{- end }}
  volumes:
    - { name: tmp, emptyDir: { sizeLimit: 256Mi } }
    {{- if .scratch }}
    - { name: data, emptyDir: { sizeLimit: {{ .scratch }} } }
    {{- end }}
    {{- range include "millrace.secretFiles" . | fromJsonArray }}
    - { name: {{ .name }}, secret: { secretName: {{ .secret }} } }
    {{- end }}
{{- end }}

{{/* A StatefulSet whose pods keep a volume each. Volumes stay when pods or the release go: they may hold events. */}}
{{- define "millrace.statefulSet" -}}
{{- $values := get .root.Values .key }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "millrace.name" . }}
  labels: {{ include "millrace.labels" . | nindent 4 }}
spec:
  serviceName: {{ include "millrace.name" . }}
  {{- if not .scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  podManagementPolicy: Parallel
  persistentVolumeClaimRetentionPolicy: { whenDeleted: Retain, whenScaled: Retain }
  selector: { matchLabels: { {{ include "millrace.selector" . | replace "\n" ", " }} } }
  template: {{ include "millrace.podTemplate" (merge (dict "claim" true) .) | nindent 4 }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata: { name: data }
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .volume.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources: { requests: { storage: {{ .volume.size }} } }
{{- end }}

{{- define "millrace.deployment" -}}
{{- $values := get .root.Values .key }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "millrace.name" . }}
  labels: {{ include "millrace.labels" . | nindent 4 }}
spec:
  {{- if not .scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  selector: { matchLabels: { {{ include "millrace.selector" . | replace "\n" ", " }} } }
  template: {{ include "millrace.podTemplate" . | nindent 4 }}
{{- end }}
