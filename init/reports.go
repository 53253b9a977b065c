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

// receiptsKept is how many of the last receipts the termination log can show.
const receiptsKept = 16

// reports writes receipts to their places: a file, the log, and the termination log.
type reports struct {
	log     *output.Log
	quiet   bool           // log only failed starts and unkillable processes
	verbose bool           // log receipts of clean ends too
	file    *output.Outlet // nil: receipts go to no file
	last    []Receipt      // the last receipts, for the termination log
}

// open opens the file for receipts. It fails for a FIFO without a reader instead of waiting for
// one.
func (r *reports) open(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open the report: %w", err)
	}
	r.file = output.NewOutlet(f)
	return nil
}

// add writes a receipt to the file, and to the log if a person should see it. A receipt of a step
// or a probe is written only if something had to be killed.
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
// The termination log belongs to the container, so only process 1 writes it. failure is why the
// start failed, or nil.
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
		return // this container has none
	}
	text := r.summary(failure)
	out := output.NewOutlet(f)
	out.Put(text[:min(len(text), terminationLogMost)])
	if err := out.Close(late); err != nil {
		r.log.Printf("cannot write %s: %v", host.TerminationLog, err)
	}
}

// summary returns the text for the termination log.
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
