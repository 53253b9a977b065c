package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cginit/cginit/init/host"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/output"
	"golang.org/x/sys/unix"
)

// terminationLogMost is how many bytes of the termination log Kubernetes shows.
const terminationLogMost = 4096

// receiptsKept is how many of the last receipts the termination log may show.
const receiptsKept = 16

// reports is where receipts go: a file, the log, and the termination log.
type reports struct {
	log     *output.Log
	quiet   bool           // say only what went wrong
	verbose bool           // also say what went well
	file    *output.Outlet // nil: receipts go to no file
	last    []Receipt      // for the termination log
}

// open opens the file for receipts. A FIFO without a reader fails instead of waiting for one.
func (r *reports) open(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open the report: %w", err)
	}
	r.file = output.NewOutlet(f)
	return nil
}

// add tells the world of a receipt: the file, and a person, if there is anything to see. Of the steps
// and probes of a job it tells only what had to be killed.
func (r *reports) add(of role, v Receipt) {
	if of != roleMain && v.Killed+v.Unkillable == 0 {
		return
	}
	if len(r.last) == receiptsKept {
		r.last = slices.Delete(r.last, 0, 1)
	}
	r.last = append(r.last, v)
	if r.file != nil && !r.file.Put(v.JSON()) {
		r.log.Printf("cannot write the receipt: nobody reads the report")
	}
	switch {
	case v.Cause == life.StartFailed:
		r.log.Printf("%s", v.Error)
	case v.Unkillable > 0 || !r.quiet && (!v.Clean() || r.verbose):
		for _, text := range v.Summary() {
			r.log.Printf("%s", text)
		}
	}
}

// close waits for the receipts to be written, and leaves their summary where Kubernetes shows it.
// That file is the container's, so only its process 1 writes it. failure is why the start failed.
func (r *reports) close(failure error) {
	late := time.After(output.FlushWait)
	if r.file != nil {
		if err := r.file.Close(late); err != nil {
			r.log.Printf("cannot write the receipt: %v", err)
		}
	}
	if !isProcess1() || len(r.last) == 0 && failure == nil {
		return
	}
	f, err := os.OpenFile(host.TerminationLog, os.O_WRONLY|os.O_TRUNC|unix.O_NONBLOCK, 0)
	if err != nil {
		return // there is none
	}
	text := r.summary(failure)
	out := output.NewOutlet(f)
	out.Put(text[:min(len(text), terminationLogMost)])
	if err := out.Close(late); err != nil {
		r.log.Printf("cannot write %s: %v", host.TerminationLog, err)
	}
}

func (r *reports) summary(failure error) []byte {
	var text bytes.Buffer
	for _, v := range r.last {
		text.WriteString(strings.Join(v.Summary(), "\n") + "\n")
	}
	if failure != nil {
		fmt.Fprintf(&text, "cginit: %v\n", failure)
	}
	return text.Bytes()
}
