{{- define "pavane.name" -}}
{{- printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "pavane.selector" -}}
app.kubernetes.io/name: pavane
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "pavane.labels" -}}
{{ include "pavane.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "pavane.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* What every pod of Pavane may do: nothing but run as nobody in particular. */}}
{{- define "pavane.pod" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "pavane.container" -}}
image: {{ include "pavane.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "pavane.environment" -}}
- {name: TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }}}
- {name: TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }}}
- {name: PAVANE_CONFIG, value: /etc/pavane/settings.yaml}
- {name: PAVANE_LOG__FORMAT, value: json}
{{- with .Values.secrets.environment }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "pavane.mounts" -}}
- {name: settings, mountPath: /etc/pavane, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.objects.volume }}
- {name: objects, mountPath: /var/lib/pavane/objects}
{{- end }}
{{- end }}

{{- define "pavane.volumes" -}}
- name: settings
  configMap: {name: {{ include "pavane.name" (dict "root" . "part" "settings") }}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- with .Values.objects.volume }}
- name: objects
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* A volume of a Secret the person made: its name and where it is mounted. */}}
{{- define "pavane.secretVolume" -}}
- name: {{ .name }}
  secret: {secretName: {{ .secret }}, defaultMode: 0440}
{{- end }}
