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

// Read gives the client pause to send something. At the end the deadline goes:
// net/http then waits for the next byte, and a deadline that passes while the
// upload is worked on would end the request's context.
func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.pause)) // without deadlines there is no limit either
	n, err := b.body.Read(p)
	if err != nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// finish is called before the answer. It takes what is left of the upload, for
// a client that is still sending would not see why it was refused, and counts
// the time for the answer from now.
func (b *patientBody) finish() {
	_, _ = io.Copy(io.Discard, b)
	_ = b.control.SetWriteDeadline(time.Now().Add(patience.write))
}
