package admin

import (
	"io"
	"net/http"
	"time"
)

const (
	// maxUpload bounds a file that is sent, in bytes: some 20 million contracts.
	maxUpload = 2 << 30
	// uploadPause is the longest pause within an upload. The server's own limit
	// on a whole request would end a long one that makes good progress.
	uploadPause = 30 * time.Second
)

// patientBody reads an upload that may take long as long as it goes on.
type patientBody struct {
	body    io.ReadCloser
	control *http.ResponseController
	pause   time.Duration
}

func newPatientBody(w http.ResponseWriter, r *http.Request, pause time.Duration) *patientBody {
	return &patientBody{http.MaxBytesReader(w, r.Body, maxUpload), http.NewResponseController(w), pause}
}

// Read gives the client pause to send something. At the end of the body
// net/http itself waits for the client to say or close; a deadline that a
// second Read after the end left behind would end the request's context, and
// with it the work on the upload.
func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.pause)) // without deadlines there is no limit either
	n, err := b.body.Read(p)
	if err != nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// finish counts the time for the answer from now, not from the request's head.
func (b *patientBody) finish() {
	_ = b.control.SetWriteDeadline(time.Now().Add(patience.write))
}

// patientWriter sends what may take long as long as somebody takes it.
type patientWriter struct {
	w       io.Writer
	control *http.ResponseController
}

func newPatientWriter(w http.ResponseWriter) patientWriter {
	return patientWriter{w, http.NewResponseController(w)}
}

func (p patientWriter) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience.write)) // without deadlines there is no limit either
	return p.w.Write(b)
}
