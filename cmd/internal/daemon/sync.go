package daemon

import (
	"context"
	"sync"
	"time"

	"sekisho/cmd/internal/admin"
	"sekisho/cmd/internal/config"
	"sekisho/store/ldapsync"
)

// directory is what follows the directory of the site file, if there is one.
// Nothing waits for it: not the start, not a packet.
type directory struct {
	mu     sync.Mutex
	config *ldapsync.Config
	syncer *ldapsync.Syncer
	end    func()
}

// follow begins to follow the directory that c names, and ends following
// another one. What has not changed goes on.
func (d *Daemon) follow(c *config.Config) {
	d.directory.mu.Lock()
	defer d.directory.mu.Unlock()
	f := &d.directory
	if f.config != nil && c.Directory != nil && f.config.Equal(c.Directory) {
		return
	}
	f.stop()
	if f.config = c.Directory; f.config == nil {
		return
	}
	following := *c.Directory
	following.KnownCourse = d.knownCourse
	f.syncer = ldapsync.New(following, d.store, ldapsync.Options{Log: d.options.Log, Clock: clock{d.options.Clock}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func(s *ldapsync.Syncer) {
		defer close(done)
		s.Run(ctx)
	}(f.syncer)
	f.end = func() {
		cancel()
		<-done
	}
}

// stop is called with mu held.
func (f *directory) stop() {
	if f.end != nil {
		f.end()
	}
	f.syncer, f.end = nil, nil
}

func (f *directory) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stop()
}

// directorySyncer is who follows the directory now; nil: there is none.
func (d *Daemon) directorySyncer() admin.Directory {
	d.directory.mu.Lock()
	defer d.directory.mu.Unlock()
	if d.directory.syncer == nil {
		return nil
	}
	return d.directory.syncer
}

func (d *Daemon) directoryStatus() *ldapsync.Status {
	s := d.directorySyncer()
	if s == nil {
		return nil
	}
	status := s.Status()
	return &status
}

func (d *Daemon) knownCourse(name string) bool {
	_, known := d.config.Load().Policy.Course(name)
	return known
}

// clock shows the daemon's time and waits by the machine's.
type clock struct{ now func() time.Time }

func (c clock) Now() time.Time                         { return c.now() }
func (c clock) After(d time.Duration) <-chan time.Time { return time.After(d) }
