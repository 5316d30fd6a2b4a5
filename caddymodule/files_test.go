package caddymodule

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// watching is a file that an app watches, what was taken from it, and how often
// it was read.
type watching struct {
	t     *testing.T
	app   *App
	logs  *observer.ObservedLogs
	path  string
	taken []string
	reads int
	fail  error // of reading
	clock time.Time
}

// newWatching watches a path in a new folder, where the file has this content.
func newWatching(t *testing.T, path, content string) *watching {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	w := &watching{
		t: t, app: &App{logger: zap.New(core)}, logs: logs, path: path,
		clock: time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC),
	}
	w.write(path, content)
	w.watch()
	return w
}

func (w *watching) watch() {
	w.t.Helper()
	if err := w.app.watch("the owner", w.path, w.take); err != nil {
		w.t.Fatal(err)
	}
	file := w.app.files[len(w.app.files)-1]
	file.read = func(path string) ([]byte, error) {
		if w.reads++; w.fail != nil {
			return nil, w.fail
		}
		return readFile(path)
	}
}

func (w *watching) take(content []byte) error {
	if strings.HasPrefix(string(content), "broken") {
		return errors.New("nonsense")
	}
	w.taken = append(w.taken, string(content))
	return nil
}

// write writes a version that bears a new time.
func (w *watching) write(path, content string) {
	w.t.Helper()
	w.clock = w.clock.Add(time.Second)
	w.writeAt(path, content)
}

// writeAt writes a version that bears the time of the last one.
func (w *watching) writeAt(path, content string) {
	w.t.Helper()
	must(w.t, os.WriteFile(path, []byte(content), 0o600))
	must(w.t, os.Chtimes(path, w.clock, w.clock))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// expect looks at the files, twice since the second look must find nothing new,
// and compares what was taken since the start and how often the file was read
// and what was logged since the last time: `E` for a problem, `I` for a new
// version, and after it some of its text.
func (w *watching) expect(taken string, reads int, logged ...string) {
	w.t.Helper()
	w.app.reloadFiles()
	read := w.reads
	w.app.reloadFiles()
	if w.reads != read && w.fail == nil {
		w.t.Error("a version was read again")
	}
	w.reads = 0
	entries := w.logs.TakeAll()
	if got := strings.Join(w.taken, " "); got != taken || read != reads {
		w.t.Errorf("%q was taken in %d reads, expected %q in %d", got, read, taken, reads)
	}
	if len(entries) != len(logged) {
		w.t.Fatalf("logged: %v, expected %q", entries, logged)
	}
	for i, entry := range entries {
		var text []string
		for _, field := range entry.Context {
			if err, ok := field.Interface.(error); ok {
				text = append(text, err.Error())
			}
			text = append(text, field.String)
		}
		level, part, _ := strings.Cut(logged[i], " ")
		if entry.Level.CapitalString()[:1] != level || !strings.Contains(strings.Join(text, " "), part) ||
			!strings.Contains(strings.Join(text, " "), "the owner") {
			w.t.Errorf("logged: %v %q, expected %q", entry.Level, text, logged[i])
		}
	}
}

// A configuration with a file that cannot be used does not load.
func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	must(t, os.WriteFile(path("plain"), []byte("broken"), 0o600))
	must(t, os.WriteFile(path("large"), bytes.Repeat([]byte(" "), maxFile+1), 0o600))
	must(t, os.Symlink(path("loop"), path("loop")))
	must(t, os.Symlink(path("missing"), path("dangling")))
	for name, test := range map[string]struct{ path, why string }{
		"missing":              {path("missing"), "does not exist"},
		"no name":              {"", "does not exist"},
		"dangling link":        {path("dangling"), "does not exist"},
		"missing folder":       {path("missing/file"), "does not exist"},
		"folder that is none":  {path("plain/file"), "cannot be read: "},
		"links in a circle":    {path("loop"), "cannot be read: "},
		"a folder":             {folder, "expected a regular file"},
		"a device that blocks": {os.DevNull, "expected a regular file"},
		"too large":            {path("large"), "expected at most 4194304 bytes"},
		"broken":               {path("plain"), "nonsense"},
	} {
		app := &App{}
		err := app.watch("the owner", test.path, func([]byte) error { return errors.New("nonsense") })
		if err == nil || !strings.HasPrefix(err.Error(), "the owner: ") || !strings.Contains(err.Error(), test.why) ||
			!strings.Contains(err.Error(), test.path) || len(app.files) != 0 {
			t.Errorf("%s: %v; expected an error with %q", name, err, test.why)
		}
	}
}

func TestWatchLargestFile(t *testing.T) {
	t.Parallel()
	w := newWatching(t, filepath.Join(t.TempDir(), "file"), strings.Repeat("a", maxFile))
	if len(w.taken) != 1 || len(w.taken[0]) != maxFile {
		t.Errorf("taken: %d times", len(w.taken))
	}
	w.write(w.path, strings.Repeat("a", maxFile+1))
	w.expect(w.taken[0], 1, "E expected at most 4194304 bytes")
}

// What has changed is read once; what has not is not read at all.
func TestWatchChanges(t *testing.T) {
	t.Parallel()
	w := newWatching(t, filepath.Join(t.TempDir(), "file"), "a")
	w.expect("a", 0)
	w.write(w.path, "b")
	w.expect("a b", 1, "I "+w.path)
	w.writeAt(w.path, "longer")
	w.expect("a b longer", 1, "I "+w.path)
	w.write(w.path, "longer") // a new time alone is no change
	w.expect("a b longer", 1)
	w.writeAt(w.path, "newest") // time and size are the same: this is the price
	w.expect("a b longer", 0)
	w.clock = w.clock.Add(-time.Hour) // a backup is put back
	w.writeAt(w.path, "a")
	w.expect("a b longer a", 1, "I "+w.path)
}

// A version that time and size do not tell apart from the former is found when
// all files are read again, and one that is still broken is not reported again.
func TestRereadFiles(t *testing.T) {
	t.Parallel()
	w := newWatching(t, filepath.Join(t.TempDir(), "file"), "abcdef")
	w.writeAt(w.path, "ghijkl")
	w.expect("abcdef", 0)
	w.app.rereadFiles()
	w.reads = 0
	w.expect("abcdef ghijkl", 0, "I "+w.path)
	w.writeAt(w.path, "broken")
	for range 3 {
		w.app.rereadFiles()
	}
	w.reads = 0
	w.expect("abcdef ghijkl", 0, "E nonsense")
}

// A version that cannot be used is reported once, and the last good one stays;
// another broken one is reported again, and the return of the good one is said.
func TestWatchBroken(t *testing.T) {
	t.Parallel()
	w := newWatching(t, filepath.Join(t.TempDir(), "file"), "a")
	w.write(w.path, "broken")
	w.expect("a", 1, "E nonsense")
	w.write(w.path, "broken")
	w.expect("a", 1, "E nonsense")
	w.write(w.path, "a")
	w.expect("a", 1, "I "+w.path)
	w.write(w.path, strings.Repeat(" ", maxFile+1))
	w.expect("a", 1, "E expected at most")
	w.write(w.path, "b")
	w.expect("a b", 1, "I "+w.path)
}

// A file that vanishes is missed once, and noticed when it is back; so is one
// whose place is taken by something else.
func TestWatchVanishes(t *testing.T) {
	t.Parallel()
	w := newWatching(t, filepath.Join(t.TempDir(), "file"), "a")
	away := w.path + ".away"
	must(t, os.Rename(w.path, away))
	w.expect("a", 0, "E does not exist")
	w.expect("a", 0)
	must(t, os.Rename(away, w.path))
	w.expect("a", 1, "I "+w.path)
	must(t, os.Remove(w.path))
	w.expect("a", 0, "E does not exist")
	must(t, os.Mkdir(w.path, 0o700))
	w.expect("a", 0, "E expected a regular file")
	must(t, os.Remove(w.path))
	w.expect("a", 0, "E does not exist")
	w.write(w.path, "broken")
	w.expect("a", 1, "E nonsense")
	must(t, os.Remove(w.path))
	w.expect("a", 0, "E does not exist")
	w.write(w.path, "b")
	w.expect("a b", 1, "I "+w.path)
}

// What keeps a file from being read can go without a change of the file: its
// owner or permissions, or a lack of file descriptors. It is tried again.
func TestWatchUnreadable(t *testing.T) {
	t.Parallel()
	w := newWatching(t, filepath.Join(t.TempDir(), "file"), "a")
	w.fail = errors.New("permission denied")
	w.expect("a", 0)
	w.write(w.path, "b")
	w.expect("a", 1, "E permission denied")
	w.expect("a", 1)
	w.fail = errors.New("too many open files")
	w.expect("a", 1, "E too many open files")
	w.fail = nil
	w.expect("a b", 1, "I "+w.path)
}

// Another file in the place of the old one is noticed by that, even where all
// files bear one time and have one size: a rename, and Kubernetes' way, in which
// a link to a folder that is part of the path is exchanged.
func TestWatchExchanged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	must(t, os.Mkdir(path("..1"), 0o700))
	must(t, os.Mkdir(path("..2"), 0o700))
	must(t, os.Symlink("..1", path("..data")))
	must(t, os.Symlink(filepath.Join("..data", "file"), path("file")))

	w := newWatching(t, path("file"), "a")
	w.writeAt(path("..2/file"), "b")
	w.expect("a", 0)
	must(t, os.Symlink("..2", path("..data_tmp")))
	must(t, os.Rename(path("..data_tmp"), path("..data")))
	w.expect("a b", 1, "I "+w.path)
	must(t, os.RemoveAll(path("..1")))
	w.expect("a b", 0)

	w.writeAt(path("new"), "c")
	must(t, os.Rename(path("new"), path("..2/file")))
	w.expect("a b c", 1, "I "+w.path)
}

// Each file stands for itself: one that is broken keeps no other from being read.
func TestWatchSeveralFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	w := newWatching(t, filepath.Join(folder, "1"), "a")
	w.path = filepath.Join(folder, "2")
	w.write(w.path, "b")
	w.watch()
	w.write(filepath.Join(folder, "1"), "broken")
	w.write(w.path, "c")
	w.expect("a b c", 2, "E nonsense", "I "+w.path)
	must(t, os.Remove(filepath.Join(folder, "1")))
	w.write(w.path, "d")
	w.expect("a b c d", 1, "E does not exist", "I "+w.path)
	if !slices.Equal(w.taken, []string{"a", "b", "c", "d"}) {
		t.Errorf("taken: %q", w.taken)
	}
}
