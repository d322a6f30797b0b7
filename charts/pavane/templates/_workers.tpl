{{- /* The workers of this release, as a list. The chart of a remote plane has one of its own. */}}
{{- define "pavane.workers" -}}
{{- toYaml .Values.workers }}
{{- end }}
