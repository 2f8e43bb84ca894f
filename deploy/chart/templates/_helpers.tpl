{{- define "slipway.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "slipway.selector" -}}
app.kubernetes.io/name: slipway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "slipway.labels" -}}
{{ include "slipway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "slipway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "slipway.databaseSecret" -}}
{{- .Values.database.existingSecret | default (printf "%s-database" (include "slipway.name" .)) -}}
{{- end -}}

{{- define "slipway.masterKeySecret" -}}
{{- .Values.masterKey.existingSecret | default (printf "%s-master-key" (include "slipway.name" .)) -}}
{{- end -}}

{{- define "slipway.tlsSecret" -}}
{{- if .Values.tls.existingSecret -}}
{{ .Values.tls.existingSecret }}
{{- else if .Values.tls.generate -}}
{{ include "slipway.name" . }}-tls
{{- end -}}
{{- end -}}

{{- /* Host of publicUrl, without a port. */ -}}
{{- define "slipway.host" -}}
{{- regexReplaceAll ":[0-9]+$" (urlParse .Values.publicUrl).host "" -}}
{{- end -}}

{{- /* What cannot work is refused before anything is installed. */ -}}
{{- define "slipway.check" -}}
{{- if not (or .Values.database.existingSecret (and .Values.database.url .Values.database.ownerUrl)) -}}
{{- fail "database: give existingSecret, or url and ownerUrl" -}}
{{- end -}}
{{- if not (or .Values.masterKey.existingSecret .Values.masterKey.value) -}}
{{- fail "masterKey: give existingSecret or value" -}}
{{- end -}}
{{- if and (include "slipway.tlsSecret" .) (not (hasPrefix "https://" .Values.publicUrl)) -}}
{{- fail "publicUrl: with a certificate it is an https address; without one set tls.generate to false" -}}
{{- end -}}
{{- if and (or .Values.ingress.enabled .Values.gateway.enabled) (regexMatch "^[0-9.]+$" (include "slipway.host" .)) -}}
{{- fail "ingress, gateway: they tell who is meant by a name, so publicUrl has a name, not an address" -}}
{{- end -}}
{{- if and .Values.bucket.endpoint (not (and .Values.bucket.name .Values.bucket.existingSecret)) -}}
{{- fail "bucket: give name and existingSecret with its keys access-key and secret-key" -}}
{{- end -}}
{{- end -}}
