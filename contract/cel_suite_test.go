package contract

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	suite "cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "cel.dev/expr/conformance/proto2" // the messages that tests of other sections name
	_ "cel.dev/expr/conformance/proto3"

	"github.com/parley-project/parley/internal/needs"
)

// Why rules do not claim a part of the suite.
const (
	celMessages   = "protobuf messages and enums: rules speak of JSON, and cannot make objects"
	celExtensions = "extension libraries, which rules do not have"
	celOddKeys    = "maps written in the expression with keys that are doubles, bytes or repeated, where cel-go departs from the specification; JSON has text keys only"
)

// celUnclaimed are the files, or sections of files, that rules do not claim.
// Everything else must pass: basic, comparisons, conversions, fields, fp_math, integer_math, lists, logic, macros, namespace, parse,
// plumbing, string, timestamps, type_deduction, unknowns.
var celUnclaimed = map[string]string{
	"dynamic": celMessages, "enums": celMessages, "proto2": celMessages, "proto3": celMessages, "proto2_ext": celMessages, "wrappers": celMessages,
	"bindings_ext": celExtensions, "block_ext": celExtensions, "encoders_ext": celExtensions, "macros2": celExtensions, "math_ext": celExtensions,
	"network_ext": celExtensions, "optionals": celExtensions, "string_ext": celExtensions,
	"fields/map_fields": celOddKeys, "fields/qualified_identifier_resolution": celOddKeys,
}

// celUnclaimedTest says why a single test of a claimed section is not claimed.
func celUnclaimedTest(test *suite.SimpleTest) string {
	for _, word := range []string{"TestAllTypes", "google.protobuf"} {
		if strings.Contains(test.Expr+prototext.Format(test), word) {
			return celMessages
		}
	}
	if strings.Contains(test.Expr, "optional.") {
		return celExtensions
	}
	return ""
}

// TestCELSuite runs the conformance tests of CEL in the environment that rules
// are compiled in.
func TestCELSuite(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "cel", "*.textproto"))
	if len(files) == 0 {
		t.Fatalf("no tests in %s", folder)
	}
	rc := &ruleCompiler{l: &loader{shapes: &shapes{byKey: map[string]*shape{}, byName: map[string]*shape{}}}}
	env, err := rc.environment()
	if err != nil {
		t.Fatal(err)
	}
	claimed, passed, unclaimed := 0, 0, map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f suite.SimpleTestFile
		if err := (prototext.UnmarshalOptions{Resolver: protoregistry.GlobalTypes, DiscardUnknown: true}).Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".textproto")
		for _, s := range f.Section {
			for _, test := range s.Test {
				why := celUnclaimed[name]
				if why == "" {
					why = celUnclaimed[name+"/"+s.Name]
				}
				if why == "" {
					why = celUnclaimedTest(test)
				}
				if why != "" {
					unclaimed[why]++
					continue
				}
				fault := celTest(env, test)
				claimed++
				if fault == "" {
					passed++
				} else {
					t.Errorf("%s/%s/%s: %s: %s", name, s.Name, test.Name, test.Expr, fault)
				}
			}
		}
	}
	needs.Figure(t, "cel", "%d of %d tests in the sections claimed pass", passed, claimed)
	for _, why := range slices.Sorted(maps.Keys(unclaimed)) {
		needs.Figure(t, "cel, not claimed", "%d tests: %s", unclaimed[why], why)
	}
}

// celTest runs a test and says what is wrong.
func celTest(env *cel.Env, test *suite.SimpleTest) (fault string) {
	var options []cel.EnvOption
	if test.Container != "" {
		options = append(options, cel.Container(test.Container))
	}
	for _, d := range test.TypeEnv {
		o, err := cel.ProtoAsDeclaration(d)
		if err != nil {
			return err.Error()
		}
		options = append(options, o)
	}
	if test.DisableMacros {
		options = append(options, cel.ClearMacros())
	}
	env, err := env.Extend(options...)
	if err != nil {
		return err.Error()
	}
	tree, iss := env.Parse(test.Expr)
	if iss.Err() != nil {
		return iss.Err().Error()
	}
	_, fails := test.ResultMatcher.(*suite.SimpleTest_EvalError)
	if !test.DisableCheck {
		checked, iss := env.Check(tree)
		if iss.Err() != nil {
			if fails {
				return ""
			}
			return iss.Err().Error()
		}
		tree = checked
		if typed := test.GetTypedResult(); typed != nil {
			want, err := types.ProtoAsType(typed.DeducedType)
			if err != nil {
				return err.Error()
			}
			if got := tree.OutputType(); got.String() != want.String() {
				return fmt.Sprintf("is of type %v, want %v", got, want)
			}
		}
	}
	if test.CheckOnly {
		return ""
	}
	program, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		if fails {
			return ""
		}
		return err.Error()
	}
	vars := map[string]any{}
	for name, v := range test.Bindings {
		if vars[name], err = cel.ProtoAsValue(env.CELTypeAdapter(), v.GetValue()); err != nil {
			return err.Error()
		}
	}
	got, _, err := program.Eval(vars)
	switch want := test.ResultMatcher.(type) {
	case *suite.SimpleTest_EvalError:
		if err == nil {
			return fmt.Sprintf("gives %v, want an error", got)
		}
	case *suite.SimpleTest_Value, *suite.SimpleTest_TypedResult, nil:
		if err != nil {
			return err.Error()
		}
		value := test.GetValue()
		if test.GetTypedResult() != nil {
			value = test.GetTypedResult().GetResult()
		}
		expected := ref.Val(types.True)
		if value != nil {
			if expected, err = cel.ProtoAsValue(env.CELTypeAdapter(), value); err != nil {
				return err.Error()
			}
		}
		if got.Type() != expected.Type() || got.Equal(expected) != types.True && !bothNaN(got, expected) {
			return fmt.Sprintf("gives %v (%v), want %v (%v)", got, got.Type(), expected, expected.Type())
		}
	default:
		return fmt.Sprintf("%T is not understood", want)
	}
	return ""
}

func bothNaN(a, b ref.Val) bool {
	x, ok1 := a.(types.Double)
	y, ok2 := b.(types.Double)
	return ok1 && ok2 && math.IsNaN(float64(x)) && math.IsNaN(float64(y))
}
