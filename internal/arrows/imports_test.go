package arrows

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "crosspoint/"

// arrows says what each package may import of ours. A key or value that ends in
// "/..." is the package and all below it. The longest key that fits counts.
var arrows = map[string][]string{
	"cmd/...":        {"b2bua/...", "gateway/...", "media/...", "dialplan", "internal/..."},
	"cmd/crosspoint": {"cmd/crosspoint/...", "b2bua/...", "gateway/...", "media/...", "dialplan", "internal/..."},

	"b2bua":                {"b2bua/leg", "dialplan", "media/...", "internal/..."},
	"b2bua/leg":            {"media", "media/g711", "internal/..."},
	"b2bua/flow":           {"b2bua", "b2bua/leg", "dialplan", "media/...", "internal/..."},
	"b2bua/registrar":      {"internal/..."},
	"b2bua/mwi":            {},
	"b2bua/sipleg":         {"b2bua/sipleg/...", "b2bua/leg", "b2bua/registrar", "b2bua/mwi", "media", "media/g711", "media/rtp", "internal/..."},
	"b2bua/sipleg/sdp":     {"b2bua/leg", "media", "media/g711", "internal/..."},
	"b2bua/sipleg/txn":     {"b2bua/sipleg/wire", "b2bua/leg", "internal/..."},
	"b2bua/sipleg/wire":    {"b2bua/leg", "internal/..."},
	"dialplan":             {"internal/..."},
	"gateway":              {"b2bua/leg", "gateway/jack", "gateway/callerid", "media/...", "internal/..."},
	"gateway/callerid":     {"media/fsk", "media/tone", "media/dtmf", "internal/..."},
	"gateway/jack":         {},
	"gateway/linecard":     {"gateway/jack", "media/g711", "internal/..."},
	"gateway/linecard/...": {"gateway/jack", "gateway/linecard/...", "internal/..."},
	"gateway/modem":        {"gateway/jack", "media/g711", "internal/..."},
	"gateway/linesim":      {"gateway/linecard/...", "gateway/callerid", "media/g711", "media/tone", "media/dtmf", "media/fsk", "internal/..."},
	"media":                {"media/g711", "media/tone", "media/dtmf", "media/wav", "internal/..."},
	"media/rtp":            {"media", "media/g711", "internal/..."},
	"media/tone":           {"internal/dsp"},
	"media/dtmf":           {"internal/dsp"},
	"media/fsk":            {"internal/dsp"},
	"media/measure":        {"internal/dsp"},
	"media/echo":           {"internal/dsp"},
	"media/...":            {}, // leaves: tone, dtmf, fsk, wav, measure, g711

	"internal/dsp":         {},
	"internal/g168":        {"internal/dsp", "media/g711"},
	"internal/benchlines":  {"gateway/callerid", "media/...", "internal/..."},
	"internal/sounds":      {"internal/dsp"},
	"internal/alarm":       {},
	"internal/exposition":  {},
	"internal/inbox":       {},
	"internal/crew":        {},
	"internal/memnet":      {},
	"internal/tomlfile":    {},
	"internal/witness":     {"media/wav"},
	"internal/softphone":   {"media/g711", "internal/..."},
	"internal/serialpump":  {},
	"internal/siptest":     {"internal/..."},
	"internal/arrows":      {},
	"internal/load":        {"internal/load/design"},
	"internal/load/design": {},
	"internal/interop":     {"media/...", "internal/..."},
	"internal/wiring":      {"b2bua/...", "gateway/...", "media/...", "dialplan", "internal/..."},
	"internal/lab":         {"b2bua/...", "gateway/...", "media/...", "dialplan", "internal/..."},
}

// libraries says who may import a module of others. The key is a prefix of the
// import path.
var libraries = map[string][]string{
	"github.com/emiago/sipgo": {"b2bua/sipleg/...", "b2bua/registrar", "internal/softphone", "internal/siptest"},
	"github.com/icholy/digest": {"b2bua/sipleg/...", "b2bua/registrar", "internal/softphone",
		"internal/siptest"},
	"github.com/pion/sdp":          {"b2bua/sipleg/..."},
	"github.com/pion/rtp":          {"media/rtp", "internal/softphone"},
	"github.com/pion/rtcp":         {"media/rtp"},
	"github.com/tarm/serial":       {"gateway/linecard"},
	"github.com/creack/pty":        {"gateway/linesim"},
	"github.com/pelletier/go-toml": {"internal/tomlfile"},
	"github.com/nyaruka":           {"dialplan"},
	"modernc.org/sqlite":           {"cmd/crosspoint/..."},
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath   string
	Dir          string
	Doc          string
	Imports      []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = "../.."
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaint.String())
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

// fits tells whether the package is what the pattern names.
func fits(pattern, pkg string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return pattern == pkg
}

// allowed is the entry of arrows for a package.
func allowed(pkg string) ([]string, bool) {
	best, found := "", false
	for pattern := range arrows {
		if fits(pattern, pkg) && (!found || len(pattern) > len(best) || pattern == pkg) && best != pkg {
			best, found = pattern, true
		}
	}
	return arrows[best], found
}

// offences are the imports of a package that the map does not show.
func offences(p listed) []string {
	var bad []string
	may, known := allowed(p.ImportPath)
	if !known {
		return []string{p.ImportPath + " is not on the map: add it to arrows with what it may import"}
	}
	for _, imported := range p.Imports {
		if ours, ok := strings.CutPrefix(imported, module); ok {
			if !slices.ContainsFunc(may, func(pattern string) bool { return fits(pattern, ours) }) {
				bad = append(bad, p.ImportPath+" imports "+ours)
			}
			continue
		}
		for library, users := range libraries {
			if strings.HasPrefix(imported, library) && !slices.ContainsFunc(users, func(user string) bool { return fits(user, p.ImportPath) }) {
				bad = append(bad, p.ImportPath+" imports "+imported+": only "+strings.Join(users, ", ")+" may")
			}
		}
	}
	return bad
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		for _, o := range offences(p) {
			t.Error(o)
		}
	}
}

// TestArrowsNoticed shows that the map catches what it is there to catch.
func TestArrowsNoticed(t *testing.T) {
	for _, p := range []listed{
		{ImportPath: "b2bua", Imports: []string{module + "b2bua/sipleg"}},
		{ImportPath: "b2bua", Imports: []string{module + "gateway"}},
		{ImportPath: "gateway", Imports: []string{module + "b2bua/sipleg"}},
		{ImportPath: "b2bua/sipleg", Imports: []string{module + "gateway"}},
		{ImportPath: "dialplan", Imports: []string{module + "b2bua/leg"}},
		{ImportPath: "media/tone", Imports: []string{module + "media"}},
		{ImportPath: "gateway/linecard", Imports: []string{module + "gateway/linesim"}},
		{ImportPath: "b2bua", Imports: []string{module + "cmd/crosspoint"}},
		{ImportPath: "b2bua", Imports: []string{"github.com/emiago/sipgo/sip"}},
		{ImportPath: "newcomer"},
	} {
		if len(offences(p)) == 0 {
			t.Errorf("%s importing %v was not noticed", p.ImportPath, p.Imports)
		}
	}
	for _, p := range []listed{
		{ImportPath: "b2bua", Imports: []string{module + "b2bua/leg", "time"}},
		{ImportPath: "b2bua/sipleg", Imports: []string{module + "b2bua/sipleg/wire", "github.com/emiago/sipgo/sip"}},
	} {
		if bad := offences(p); len(bad) != 0 {
			t.Errorf("%v was refused", bad)
		}
	}
}

func TestEachPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			t.Errorf("%s holds tests alone: give it a doc.go that says what they show", p.ImportPath)
		} else if len(p.Doc) < 40 {
			t.Errorf("%s: its doc comment is %q: say what the package is for", p.ImportPath, p.Doc)
		}
	}
}
