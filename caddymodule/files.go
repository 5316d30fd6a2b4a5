package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"
)

// maxFile is the largest file that is read, in bytes: a key set or a list of
// certificates is far smaller.
const maxFile = 1 << 20

// watchEvery is how often files are looked at for changes.
const watchEvery = time.Second

// watchedFile is a file that the configuration names. It is read when the
// configuration is loaded, where a problem is an error, and again whenever it
// changes, where a problem is reported and the old content stays in force.
type watchedFile struct {
	owner string // for messages: the client and the subdirective
	path  string
	take  func(content []byte) error // puts the content in force, or says why not

	seen fileStamp
}

// fileStamp tells one version of a file from another. A path that leads to
// another file by way of a link has another stamp.
type fileStamp struct {
	modified time.Time
	size     int64
	missing  bool
}

func stampOf(path string) fileStamp {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{missing: true}
	}
	return fileStamp{modified: info.ModTime(), size: info.Size()}
}

// load reads the file and puts it in force.
func (f *watchedFile) load() error {
	f.seen = stampOf(f.path) // before: a change meanwhile is seen later
	content, err := readFile(f.path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.owner, err)
	}
	if err := f.take(content); err != nil {
		return fmt.Errorf("%s: file %s: %w", f.owner, f.path, err)
	}
	return nil
}

// changed tells whether the file is not as it was when it was last read.
func (f *watchedFile) changed() bool { return stampOf(f.path) != f.seen }

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file %s does not exist", path)
	}
	if err != nil {
		return nil, fmt.Errorf("file %s cannot be read: %w", path, err)
	}
	defer func() { _ = file.Close() }() // was only read
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("file %s cannot be read: %w", path, err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("file %s: expected at most %d bytes", path, maxFile)
	}
	return content, nil
}

// watch reads a file now and, once the app runs, again when it changes.
func (a *App) watch(owner, path string, take func([]byte) error) error {
	file := &watchedFile{owner: owner, path: path, take: take}
	if err := file.load(); err != nil {
		return err
	}
	a.files = append(a.files, file)
	return nil
}

// reloadFiles reads the files that have changed.
func (a *App) reloadFiles() {
	for _, file := range a.files {
		if !file.changed() {
			continue
		}
		if err := file.load(); err != nil {
			a.logger.Error("a changed file cannot be used; what it held before stays in force", zap.Error(err))
			continue
		}
		a.logger.Info("a changed file was read again", zap.String("of", file.owner), zap.String("file", file.path))
	}
}
