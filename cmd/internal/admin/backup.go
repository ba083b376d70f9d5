package admin

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/danielgtaylor/huma/v2"

	"sekisho/store"
)

// BackupStore copies itself; see store.Store.
type BackupStore interface {
	Backup(io.Writer) error
	Record(store.Entry) error
}

// MountBackup serves a copy of the whole store. It is made in dir first: a
// client that reads slowly must not keep the store's old pages from being used
// again.
func MountBackup(r *Routes, s BackupStore, dir func() string) {
	stream(r, Admin, huma.Operation{
		OperationID: "backup", Method: http.MethodPost, Path: "/v1/backup", Tags: tagDaemon,
		Summary:     "A copy of the whole store, itself a store file",
		Description: "Reads and writes go on. An answer that is shorter than its Content-Length is no backup.",
		Responses:   answers("application/octet-stream", "the file"),
	}, func(w http.ResponseWriter, r *http.Request, q *Why) error {
		by, err := CallerFrom(r.Context()).because(q.Reason)
		if err != nil {
			return err
		}
		file, err := copyOf(s, dir())
		if err != nil {
			return err
		}
		defer file.Close()
		if err := s.Record(store.Entry{By: by, Op: "backup"}); err != nil {
			return err
		}
		return sendFile(w, file)
	})
}

// copyOf writes a backup into a file that has no name any more: whatever
// happens, it leaves nothing behind.
func copyOf(s BackupStore, dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, ".backup-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(file.Name())
	if err == nil {
		err = s.Backup(file)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("making a backup: %w", err)
	}
	return file, nil
}

func sendFile(w http.ResponseWriter, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="sekisho.db"`)
	w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
	if _, err := io.Copy(newPatientWriter(w), file); err != nil {
		panic(http.ErrAbortHandler) // what was sent is no backup
	}
	return nil
}
