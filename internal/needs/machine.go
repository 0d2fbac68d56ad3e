package needs

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Machine describes where figures were measured, as a Markdown list: figures
// without a machine mean nothing.
func Machine() string {
	var b strings.Builder
	fmt.Fprintf(&b, "- date: %s\n", time.Now().UTC().Format("2 January 2006 15:04 MST"))
	fmt.Fprintf(&b, "- processor: %s, %d usable\n", processor(), runtime.NumCPU())
	if f := strings.Fields(lineOf("/proc/meminfo", "MemTotal:")); len(f) > 0 {
		fmt.Fprintf(&b, "- memory: %s kB\n", f[0])
	}
	if out, err := exec.Command("uname", "-sr").Output(); err == nil {
		fmt.Fprintf(&b, "- system: %s\n", strings.TrimSpace(string(out)))
	}
	fmt.Fprintf(&b, "- Go: %s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		fmt.Fprintf(&b, "\n- commit: %s", strings.TrimSpace(string(out)))
	}
	return b.String()
}

func processor() string {
	if s := strings.TrimSpace(strings.TrimPrefix(lineOf("/proc/cpuinfo", "model name"), ":")); s != "" {
		return s
	}
	return "unknown"
}

// lineOf returns what follows the prefix on the first line that has it.
func lineOf(file, prefix string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
