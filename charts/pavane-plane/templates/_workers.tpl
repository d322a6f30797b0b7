{{- /* The one kind of worker that a remote plane has. */}}
{{- define "pavane.workers" -}}
- name: plane
  roles: [plane]
  plane: {{ .Values.plane.name }}
  organizations: {{ .Values.plane.organizations | toJson }}
  replicas: {{ .Values.plane.replicas }}
{{- end }}
