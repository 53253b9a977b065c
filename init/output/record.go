package output

import (
	"encoding/json"
	"time"
)

// record is a line in JSON: one of the log's, or one of a job's.
type record struct {
	Time   time.Time `json:"time"`
	From   string    `json:"from,omitempty"` // of the log: the name that its lines begin with
	Job    string    `json:"job,omitempty"`
	Run    int       `json:"run,omitempty"`
	Stream string    `json:"stream,omitempty"`
	Msg    string    `json:"msg"`
	Part   bool      `json:"part,omitempty"` // the line goes on in the next object
}

// json returns the record of this moment, with a newline. It returns nothing in the one case in which
// a record cannot be written: the clock is beyond the year 9999.
func (r record) json() []byte {
	r.Time = time.Now()
	text, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	return append(text, '\n')
}
