package output

import (
	"encoding/json"
	"time"
)

// record is a line in JSON, of the log or of a job.
type record struct {
	Time   time.Time `json:"time"`
	From   string    `json:"from,omitempty"` // in the log: the name that its lines begin with
	Job    string    `json:"job,omitempty"`
	Run    int       `json:"run,omitempty"`
	Stream string    `json:"stream,omitempty"`
	Msg    string    `json:"msg"`
	Part   bool      `json:"part,omitempty"` // the line goes on in the next object
}

// json returns the record with the present time, and a newline. It returns nil if the year is after
// 9999, which JSON cannot hold.
func (r record) json() []byte {
	r.Time = time.Now()
	text, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	return append(text, '\n')
}
