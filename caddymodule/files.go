package caddymodule

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
)

// maxFile is the largest file that is read, in bytes. Whoever takes the content
// of a kind that is smaller says so.
const maxFile = openapi.MaxSize

// watchEvery is how often files are looked at for changes.
const watchEvery = time.Second

// watchedFile is a file that the configuration names. It is read when the
// configuration is loaded, where a problem is an error, and again whenever it
// changes, where a problem is reported and the old content stays in force.
type watchedFile struct {
	owner string // for messages: the client and the subdirective
	path  string
	take  func(content []byte) error        // puts the content in force, or says why not
	read  func(path string) ([]byte, error) // readFile

	seen fs.FileInfo       // the version that was read last; nil: it could not be read
	held [sha256.Size]byte // the digest of the content that is in force
	told string            // the problem that was reported last; empty for none
}

// load reads the file and puts it in force, unless it is so already.
func (f *watchedFile) load() error {
	f.seen = nil
	info, err := lookAt(f.path) // before it is read: a change meanwhile is seen later
	if err != nil {
		return fmt.Errorf("%s: %w", f.owner, err)
	}
	content, err := f.read(f.path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.owner, err)
	}
	f.seen = info
	if len(content) > maxFile {
		return fmt.Errorf("%s: file %s: expected at most %d bytes", f.owner, f.path, maxFile)
	}
	sum := sha256.Sum256(content)
	if sum == f.held {
		return nil
	}
	if err := f.take(content); err != nil {
		return fmt.Errorf("%s: file %s: %w", f.owner, f.path, err)
	}
	f.held = sum
	return nil
}

// changed tells whether the file is not as it was when it was last read. One
// that could not be read is tried again each time: what was in the way, such as
// its permissions or a lack of file descriptors, can go without a trace in it.
func (f *watchedFile) changed() bool {
	if f.seen == nil {
		return true
	}
	info, err := os.Stat(f.path)
	return err != nil || !sameVersion(info, f.seen)
}

// sameVersion tells whether a file is as it was. That it is the same file is
// asked too: what is renamed or linked into its place can have the same time and
// size, as where all files bear the time of a release.
func sameVersion(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// lookAt returns what is known of a file that can be read to its end: not a
// pipe or a device, which could block or never end.
func lookAt(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("file %s: expected a regular file", path)
	}
	return info, nil
}

// readFile returns the content, of which a byte more than allowed is read, so
// that it is known to be too large.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() { _ = file.Close() }() // was only read
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return content, nil
}

func unreadable(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("file %s does not exist", path)
	}
	return fmt.Errorf("file %s cannot be read: %w", path, err)
}

// watch reads a file now and, once the app runs, again when it changes.
func (a *App) watch(owner, path string, take func([]byte) error) error {
	file := &watchedFile{owner: owner, path: path, take: take, read: readFile}
	if err := file.load(); err != nil {
		return err
	}
	a.files = append(a.files, file)
	return nil
}

// reloadFiles reads the files that have changed.
func (a *App) reloadFiles() {
	a.reading.Lock()
	defer a.reading.Unlock()
	for _, file := range a.files {
		if file.changed() {
			a.reload(file, true)
		}
	}
}

// rereadFiles reads all files, also those that look unchanged: a tool that sets
// times can put another version of the same size in place.
func (a *App) rereadFiles() {
	a.reading.Lock()
	defer a.reading.Unlock()
	for _, file := range a.files {
		a.reload(file, file.changed())
	}
}

// reload reads a file again. A problem is reported with each new version, and
// once where there is none to be read or it looks as before.
func (a *App) reload(file *watchedFile, changed bool) {
	before, told := file.held, file.told
	if err := file.load(); err != nil {
		file.told = err.Error()
		if told == "" {
			a.unusable.Add(1)
		}
		if changed && file.seen != nil || file.told != told {
			metrics.fileReloads.WithLabelValues("failed").Inc()
			a.logger.Error("a changed file cannot be used; what it held before stays in force", zap.Error(err))
		}
		return
	}
	file.told = ""
	if told != "" {
		a.unusable.Add(-1)
	}
	if file.held != before || told != "" {
		metrics.fileReloads.WithLabelValues("used").Inc()
		a.logger.Info("a changed file was read again", zap.String("of", file.owner), zap.String("file", file.path))
	}
}
