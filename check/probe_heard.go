package check

import "time"

// heard waits for somebody to ask for a path of the listener's: what an answer
// does not wait for comes a little later.
func (t *Trial) heard(path string) bool {
	if t.Heard == nil {
		return false
	}
	for range 10 {
		if t.Heard(path) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return t.Heard(path)
}
