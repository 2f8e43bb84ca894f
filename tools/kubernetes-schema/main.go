// Writes the one data file behind strategic merge, server-side apply, strict decoding and protobuf bodies of the embedded
// cluster: the Go types of the Kubernetes API (names, patch tags, protobuf numbers) joined with the structured-merge schema
// of their apply configurations.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling "k8s.io/api/autoscaling/v1"
	batch "k8s.io/api/batch/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	_ "k8s.io/client-go/applyconfigurations/meta/v1" // keeps the module whose schema is read
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// kinds lists what the data file covers: apiVersion, then one zero value per kind.
var kinds = []struct {
	apiVersion string
	objects    []any
}{
	{"v1", []any{core.Namespace{}, core.Node{}, core.Pod{}, core.Service{}, core.ConfigMap{}, core.Secret{},
		core.ServiceAccount{}, core.Event{}, core.ResourceQuota{}, core.Binding{}, meta.DeleteOptions{}, meta.Status{}}},
	{"apps/v1", []any{apps.Deployment{}, apps.ReplicaSet{}}},
	{"batch/v1", []any{batch.Job{}}},
	{"coordination.k8s.io/v1", []any{coordination.Lease{}}},
	{"discovery.k8s.io/v1", []any{discovery.EndpointSlice{}}},
	{"events.k8s.io/v1", []any{events.Event{}}},
	{"policy/v1", []any{policy.Eviction{}}},
	{"autoscaling/v1", []any{autoscaling.Scale{}}},
	{"authentication.k8s.io/v1", []any{authentication.TokenRequest{}, authentication.SelfSubjectReview{}}},
	{"authorization.k8s.io/v1", []any{authorization.SelfSubjectAccessReview{}, authorization.SelfSubjectRulesReview{}}},
	{"gateway.networking.k8s.io/v1", []any{gateway.GatewayClass{}, gateway.Gateway{}, gateway.HTTPRoute{}}},
}

// field describes one field of the JSON form. Absent members mean "no".
type field struct {
	Type string `json:"type"`
	// Shape is "list" or "map" (with text keys) of Type.
	Shape string `json:"shape,omitempty"`
	// Number is the protobuf field number.
	Number int `json:"number,omitempty"`
	// Kept: encoded even when it is empty (no omitempty). Pointer: an empty value differs from an absent one.
	Kept    bool `json:"kept,omitempty"`
	Pointer bool `json:"pointer,omitempty"`
	// Strategic merge: the strategy and the key of list items.
	PatchStrategy string `json:"patchStrategy,omitempty"`
	PatchMergeKey string `json:"patchMergeKey,omitempty"`
	// Server-side apply: lists without keys or set, and everything marked atomic, have one owner as a whole.
	Atomic   bool           `json:"atomic,omitempty"`
	Set      bool           `json:"set,omitempty"`
	Keys     []string       `json:"keys,omitempty"`
	Defaults map[string]any `json:"defaults,omitempty"`
}

type inline struct {
	Number int    `json:"number"`
	Type   string `json:"type"`
}

type structure struct {
	Atomic bool             `json:"atomic,omitempty"`
	Inline []inline         `json:"inline,omitempty"`
	Fields map[string]field `json:"fields"`
}

// The part of the structured-merge schema that is read.
type mergeType struct {
	Name                string     `json:"name"`
	NamedType           string     `json:"namedType"`
	ElementRelationship string     `json:"elementRelationship"`
	Map                 *mergeMap  `json:"map"`
	List                *mergeList `json:"list"`
}
type mergeMap struct {
	Fields []struct {
		Name    string    `json:"name"`
		Type    mergeType `json:"type"`
		Default any       `json:"default"`
	} `json:"fields"`
	ElementRelationship string `json:"elementRelationship"`
}
type mergeList struct {
	ElementType         mergeType `json:"elementType"`
	ElementRelationship string    `json:"elementRelationship"`
	Keys                []string  `json:"keys"`
}

// scalars have their own JSON and protobuf form; everything else that is a struct is described field by field.
var scalars = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():         "quantity",
	reflect.TypeFor[intstr.IntOrString]():        "intOrString",
	reflect.TypeFor[meta.Time]():                 "time",
	reflect.TypeFor[meta.MicroTime]():            "microTime",
	reflect.TypeFor[meta.Duration]():             "duration",
	reflect.TypeFor[meta.FieldsV1]():             "fieldsV1",
	reflect.TypeFor[runtime.RawExtension]():      "raw",
	reflect.TypeFor[authentication.ExtraValue](): "stringList",
	reflect.TypeFor[authorization.ExtraValue]():  "stringList",
	reflect.TypeFor[[]byte]():                    "bytes",
}

// What of a custom resource's OpenAPI schema is kept: defaults and limits. The rules written in CEL are not among them.
type custom struct {
	Type       string             `json:"type,omitempty"`
	Properties map[string]*custom `json:"properties,omitempty"`
	Items      *custom            `json:"items,omitempty"`
	Values     *custom            `json:"additionalProperties,omitempty"`
	Required   []string           `json:"required,omitempty"`
	Default    any                `json:"default,omitempty"`
	Enum       []any              `json:"enum,omitempty"`
	Pattern    string             `json:"pattern,omitempty"`
	Minimum    *float64           `json:"minimum,omitempty"`
	Maximum    *float64           `json:"maximum,omitempty"`
	MinLength  *int               `json:"minLength,omitempty"`
	MaxLength  *int               `json:"maxLength,omitempty"`
	MinItems   *int               `json:"minItems,omitempty"`
	MaxItems   *int               `json:"maxItems,omitempty"`
	MaxProps   *int               `json:"maxProperties,omitempty"`
	MapKeys    []string           `json:"x-kubernetes-list-map-keys,omitempty"`
}

type definition struct {
	Spec struct {
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Schema struct {
				OpenAPI custom `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

type generator struct {
	merge  map[string]mergeType
	types  map[string]*structure
	custom map[string]*custom
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: kubernetes-schema <file to write>")
	}
	g := generator{merge: map[string]mergeType{}, types: map[string]*structure{}, custom: map[string]*custom{}}
	g.readMergeSchema("k8s.io/client-go", "applyconfigurations/internal/internal.go")
	g.readMergeSchema("sigs.k8s.io/gateway-api", "applyconfiguration/internal/internal.go")
	roots := map[string]map[string]string{}
	for _, group := range kinds {
		roots[group.apiVersion] = map[string]string{}
		for _, object := range group.objects {
			goType := reflect.TypeOf(object)
			roots[group.apiVersion][goType.Name()] = g.describe(goType)
		}
	}
	g.readCustom("httproutes", "gateways", "gatewayclasses")
	if err := os.WriteFile(os.Args[1], g.render(roots), 0o644); err != nil {
		fail(err.Error())
	}
}

// readMergeSchema takes the schema out of the one text constant of a generated Go file.
func (g *generator) readMergeSchema(module, file string) {
	source := readModuleFile(module, file)
	_, text, found := strings.Cut(string(source), "typed.YAMLObject(`")
	text, _, ended := strings.Cut(text, "`)")
	if !found || !ended {
		fail(file + " holds no schema")
	}
	var schema struct {
		Types []mergeType `json:"types"`
	}
	if err := yaml.Unmarshal([]byte(text), &schema); err != nil {
		fail(err.Error())
	}
	for _, one := range schema.Types {
		g.merge[one.Name] = one
	}
}

// readCustom takes spec and status of version v1 out of the custom resource definitions of the Gateway API.
func (g *generator) readCustom(plurals ...string) {
	for _, plural := range plurals {
		var read definition
		text := readModuleFile("sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_"+plural+".yaml")
		if err := yaml.Unmarshal(text, &read); err != nil {
			fail(err.Error())
		}
		for index, version := range read.Spec.Versions {
			if version.Name != "v1" {
				continue
			}
			schema := &read.Spec.Versions[index].Schema.OpenAPI
			for name := range schema.Properties {
				if name != "spec" && name != "status" {
					delete(schema.Properties, name)
				}
			}
			g.custom[read.Spec.Names.Kind] = schema
		}
	}
}

func readModuleFile(module, file string) []byte {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		fail("go list " + module + ": " + err.Error())
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), file))
	if err != nil {
		fail(err.Error())
	}
	return text
}

// describe adds a struct and all it reaches, and returns its name in the data file.
func (g *generator) describe(goType reflect.Type) string {
	name := shortName(goType)
	if _, known := g.types[name]; known {
		return name
	}
	described := &structure{Fields: map[string]field{}}
	g.types[name] = described
	merged, hasMerge := g.merge[mergeName(goType)]
	described.Atomic = hasMerge && merged.Map != nil && merged.Map.ElementRelationship == "atomic"
	for index := range goType.NumField() {
		g.describeField(described, goType.Field(index), merged)
	}
	return name
}

func (g *generator) describeField(owner *structure, goField reflect.StructField, merged mergeType) {
	jsonName, options, _ := strings.Cut(goField.Tag.Get("json"), ",")
	number := protobufNumber(goField)
	if goField.Type == reflect.TypeFor[meta.TypeMeta]() {
		owner.Fields["apiVersion"] = field{Type: "string"}
		owner.Fields["kind"] = field{Type: "string"}
		return
	}
	if jsonName == "" && goField.Anonymous {
		owner.Inline = append(owner.Inline, inline{number, g.describe(goField.Type)})
		return
	}
	if jsonName == "" || jsonName == "-" {
		return
	}
	described := field{
		Number:        number,
		Kept:          !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero"),
		PatchStrategy: goField.Tag.Get("patchStrategy"),
		PatchMergeKey: goField.Tag.Get("patchMergeKey"),
	}
	g.describeType(&described, goField.Type)
	// A struct that is no pointer is always encoded, unless "omitzero" says otherwise.
	if strings.Contains(described.Type, ".") && described.Shape == "" && !described.Pointer && !strings.Contains(options, "omitzero") {
		described.Kept = true
	}
	g.addMerge(&described, jsonName, merged)
	owner.Fields[jsonName] = described
}

func (g *generator) describeType(described *field, goType reflect.Type) {
	if goType.Kind() == reflect.Pointer {
		described.Pointer = true
		goType = goType.Elem()
	}
	if scalar, known := scalars[goType]; known {
		described.Type = scalar
		return
	}
	switch goType.Kind() {
	case reflect.Slice:
		described.Shape = "list"
		described.Type = g.elementType(goType.Elem())
	case reflect.Map:
		described.Shape = "map"
		described.Type = g.elementType(goType.Elem())
	default:
		described.Type = g.elementType(goType)
	}
}

func (g *generator) elementType(goType reflect.Type) string {
	if goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	if scalar, known := scalars[goType]; known {
		return scalar
	}
	switch goType.Kind() {
	case reflect.Struct:
		return g.describe(goType)
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Uint8, reflect.Uint16:
		return "int32"
	case reflect.Int64, reflect.Int:
		return "int64"
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.String {
			return "stringList"
		}
	}
	fail("no form for " + goType.String())
	return ""
}

func (g *generator) addMerge(described *field, jsonName string, owner mergeType) {
	if owner.Map == nil {
		return
	}
	for _, candidate := range owner.Map.Fields {
		if candidate.Name != jsonName {
			continue
		}
		of := candidate.Type
		switch {
		case of.List != nil && of.List.ElementRelationship == "associative" && len(of.List.Keys) > 0:
			described.Keys = of.List.Keys
			described.Defaults = g.keyDefaults(of.List)
		case of.List != nil && of.List.ElementRelationship == "associative":
			described.Set = true
		case of.Map != nil && described.Shape == "map":
			described.Atomic = of.Map.ElementRelationship == "atomic"
		default:
			described.Atomic = of.ElementRelationship == "atomic"
		}
	}
}

// keyDefaults are the values that stand for absent keys, such as protocol TCP of a port.
func (g *generator) keyDefaults(list *mergeList) map[string]any {
	element := g.merge[list.ElementType.NamedType]
	defaults := map[string]any{}
	if element.Map == nil {
		return defaults
	}
	for _, candidate := range element.Map.Fields {
		for _, key := range list.Keys {
			if key == candidate.Name && candidate.Default != nil {
				defaults[key] = candidate.Default
			}
		}
	}
	return defaults
}

func protobufNumber(goField reflect.StructField) int {
	parts := strings.Split(goField.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil {
		fail(goField.Name + ": " + err.Error())
	}
	return number
}

func shortName(goType reflect.Type) string {
	path := strings.TrimPrefix(goType.PkgPath(), "k8s.io/api/")
	path = strings.TrimPrefix(path, "k8s.io/apimachinery/pkg/apis/")
	path = strings.Replace(path, "sigs.k8s.io/gateway-api/apis/", "gateway/", 1)
	return path + "." + goType.Name()
}

func mergeName(goType reflect.Type) string {
	domain, path, _ := strings.Cut(goType.PkgPath(), "/")
	parts := strings.Split(domain, ".")
	for left, right := 0, len(parts)-1; left < right; left, right = left+1, right-1 {
		parts[left], parts[right] = parts[right], parts[left]
	}
	return strings.Join(parts, ".") + "." + strings.ReplaceAll(path, "/", ".") + "." + goType.Name()
}

// render writes one type per line, so that a change of version reads well as a difference.
func (g *generator) render(roots map[string]map[string]string) []byte {
	names := make([]string, 0, len(g.types))
	for name := range g.types {
		names = append(names, name)
	}
	sort.Strings(names)
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n\"kinds\": %s,\n\"types\": {\n", compact(roots))
	for index, name := range names {
		comma := ","
		if index == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(&out, "%s: %s%s\n", compact(name), compact(g.types[name]), comma)
	}
	fmt.Fprintf(&out, "},\n\"custom\": %s\n}\n", compact(g.custom))
	return out.Bytes()
}

func compact(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		fail(err.Error())
	}
	return bytes.TrimSpace(text.Bytes())
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
